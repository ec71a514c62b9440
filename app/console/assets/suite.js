/** A run as it goes: each result as it comes, and at the end the page as the server has it. */
import { elementsOf, fragmentOf } from './fragment.js';
import { onKey } from './keys.js';
import { say } from './say.js';

const run = document.getElementById('suite-run');
const here = location.pathname;

const unhide = (root) => {
  for (const one of root.querySelectorAll('[data-needs-script]')) one.hidden = false;
};

// ── While it is under way

function tell(verdict) {
  document.getElementById('verdict').textContent = verdict;
  document.title = `Suite: ${verdict} – Console`;
}

function arrive({ platform, row, failure, verdict }, played) {
  const place = run.querySelector(`[data-platform="${CSS.escape(platform)}"]`);
  const rows = place.querySelector('ol');
  rows.append(elementsOf(row));
  const failed = rows.querySelectorAll('[data-status="failed"]').length;
  place.querySelector('[data-played]').textContent = rows.childElementCount;
  place.querySelector('[data-failed]').textContent = failed;
  place.querySelector('[data-bad]').hidden = failed === 0;
  place.querySelector('[data-good]').hidden =
    failed > 0 || rows.childElementCount < Number(rows.dataset.selected);
  document.getElementById('progress').value = played;
  tell(verdict);
  if (failure === undefined) return;
  const found = elementsOf(failure);
  unhide(found);
  const failures = document.getElementById('failures');
  failures.append(found);
  failures.hidden = false;
  run.querySelector('.suite-verdict').classList.add('bad');
}

/** The page again, in the place of this one. What is unfolded stays so. */
async function load() {
  const found = (await fragmentOf(here)).querySelector('#suite-run');
  const open = [...run.querySelectorAll('details[open][data-platform]')];
  for (const { dataset } of open) {
    found.querySelector(`[data-platform="${CSS.escape(dataset.platform)}"]`).open = true;
  }
  unhide(found);
  const hadFocus = run.contains(document.activeElement);
  run.replaceChildren(...found.childNodes);
  run.dataset.played = found.dataset.played;
  if (found.dataset.underWay === undefined) delete run.dataset.underWay;
  if (hadFocus) run.querySelector('h1').focus();
  tell(document.getElementById('verdict').textContent);
}

function listen() {
  const source = new EventSource(`${here}/events?lastEventId=${run.dataset.played}`);
  source.addEventListener('result', (event) => {
    run.dataset.played = event.lastEventId;
    arrive(JSON.parse(event.data), Number(event.lastEventId));
  });
  source.addEventListener('over', () => {
    source.close();
    void finish();
  });
  source.addEventListener('error', () => {
    // It was refused: the browser does not ask again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(finish, 5000);
  });
}

async function finish() {
  try {
    await load();
  } catch {
    say('The server does not answer. Reload the page when it does.');
    return;
  }
  if (run.dataset.underWay === undefined) say(document.getElementById('verdict').textContent);
  else listen();
}

if (run.dataset.underWay !== undefined) listen();

// ── Keys

onKey('f', 'Next failure', () => {
  const all = [...run.querySelectorAll('.suite-failure')];
  const next = all[all.findIndex((one) => one.contains(document.activeElement)) + 1] ?? all[0];
  next?.querySelector('pre, summary, button')?.focus();
  next?.scrollIntoView({ block: 'start' });
});
onKey('r', 'Run again', () => document.getElementById('again')?.click());
