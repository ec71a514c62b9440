/** The matrix: asked at once, switched without leaving the page, and what changed is said. */
import { elementsOf } from './fragment.js';
import { onKey } from './keys.js';
import { say } from './say.js';
import { submit } from './submit.js';

const place = document.getElementById('matrix');
const news = document.getElementById('news');

/** What each cell says, by cell. */
const cells = (root) =>
  new Map([...root.querySelectorAll('[data-cell]')].map((one) => [one.dataset.cell, one]));

/** Puts the new page's matrix in the place of this one. @returns what is different, in words */
function replace(found) {
  const before = new Map([...cells(place)].map(([key, { dataset }]) => [key, dataset.outcome]));
  const focused = document.activeElement?.dataset.key;
  place.replaceChildren(...found.childNodes);
  delete place.dataset.unasked;
  for (const one of place.querySelectorAll('[data-needs-script]')) one.hidden = false;
  if (focused) place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  const changed = [...cells(place)].filter(
    ([key, { dataset }]) => before.has(key) && before.get(key) !== dataset.outcome,
  );
  for (const [, cell] of changed) cell.classList.add('new');
  return changed.map(([, { dataset }]) => dataset);
}

/** What was switched stands above the matrix: that and what it changed is only said to those who do not see it. */
function tell(changed, first) {
  const switched = place.querySelector('#changed p')?.textContent;
  const words =
    changed.length === 0
      ? 'No answer has changed.'
      : changed.length > 6
        ? `${changed.length} answers have changed.`
        : changed
            .map(({ who, platform, outcome }) => `${who} at ${platform}: ${outcome}.`)
            .join(' ');
  if (switched && !first) news.textContent = `${switched} ${words}`;
  else say(first ? 'All platforms are asked.' : words);
}

let busy = false;

async function send(form, first = false) {
  if (busy) return;
  busy = true;
  place.setAttribute('aria-busy', 'true');
  try {
    const { ok, text } = await submit(form);
    const found = elementsOf(text).querySelector('#matrix');
    if (ok && found) tell(replace(found), first);
    else say(elementsOf(text).querySelector('main p')?.textContent ?? 'This did not work.');
  } catch {
    say('The server does not answer.');
  } finally {
    busy = false;
    place.removeAttribute('aria-busy');
  }
}

place.addEventListener('submit', (event) => {
  event.preventDefault();
  void send(event.target);
});

// ── Why: as long as it is pointed at, until Escape

place.addEventListener('pointermove', () =>
  place.querySelector('.matrix')?.classList.remove('quiet'),
);
place.addEventListener('focusin', () => place.querySelector('.matrix')?.classList.remove('quiet'));

onKey('Escape', 'Hide the explanation', () =>
  place.querySelector('.matrix')?.classList.add('quiet'),
);
onKey('a', 'Ask all platforms again', () => place.querySelector('#ask')?.requestSubmit());
onKey('/', 'Find a user', () => document.getElementById('search').focus());
onKey('u', 'Undo', () => place.querySelector('[data-key="undo"]')?.click());

if (place.dataset.unasked !== undefined && place.querySelector('.matrix')) {
  void send(document.getElementById('ask'), true);
}
