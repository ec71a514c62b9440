/** A run: its arrows lead to what was sent, and it can be told step by step. */
import { onKey } from './keys.js';

const run = document.getElementById('run');
const stepper = document.getElementById('stepper');
const stepped = [...run.querySelectorAll('[data-step]')];
const arrows = [...run.querySelectorAll('.arrow a')];
const last = Number(run.dataset.arrows) + 1;
const calm = matchMedia('(prefers-reduced-motion: reduce)');

// ── What was sent

/** Opens what a link within the page leads to, when it is folded away. */
function open(hash) {
  const target = hash.length > 1 ? document.getElementById(hash.slice(1)) : null;
  if (!target) return;
  const folded = target.closest('details');
  if (folded) folded.open = true;
  for (const arrow of arrows) {
    if (arrow.getAttribute('href') === hash) arrow.setAttribute('aria-current', 'true');
    else arrow.removeAttribute('aria-current');
  }
  target.scrollIntoView({ block: 'start', behavior: calm.matches ? 'instant' : 'smooth' });
  target.focus({ preventScroll: true });
}

addEventListener('hashchange', () => open(location.hash));
for (const arrow of arrows) {
  // The same hash again is no change of it.
  arrow.addEventListener('click', () => {
    if (arrow.getAttribute('href') === location.hash) open(location.hash);
  });
}

// ── Step by step

/** How many arrows are shown; one more is the end. */
let at = last;

const placeOf = ({ dataset: { step } }) => (step === 'end' ? last : Number(step));

function show(step) {
  at = Math.min(Math.max(step, 1), last);
  run.dataset.at = String(at);
  for (const one of stepped) {
    one.classList.toggle('later', placeOf(one) > at);
    one.classList.toggle('now', placeOf(one) === at);
  }
  const arrow = arrows.find((one) => placeOf(one.closest('.arrow')) === at);
  document.getElementById('step-number').textContent = arrow ? `${at} of ${last - 1}` : 'The end';
  document.getElementById('step-text').textContent = arrow
    ? arrow.getAttribute('aria-label').replace(/^\d+\. /, '')
    : document.getElementById('outcome').textContent;
  stepper.querySelector('[data-move="-1"]').disabled = at === 1;
  stepper.querySelector('[data-move="1"]').disabled = at === last;
}

function begin() {
  stepper.hidden = false;
  show(1);
}

function move(by) {
  if (stepper.hidden) {
    begin();
    return;
  }
  if (by === 'all') {
    show(last);
    stepper.hidden = true;
    return;
  }
  show(at + Number(by));
}

stepper.addEventListener('click', ({ target }) => {
  const by = target.closest('[data-move]')?.dataset.move;
  if (by) move(by);
});
run.querySelector('[data-begin-steps]').addEventListener('click', (event) => {
  event.preventDefault();
  begin();
  stepper.querySelector('[data-move="1"]').focus();
});

onKey('ArrowRight', 'Next step of a flow', () => move(1));
onKey('ArrowLeft', 'The step before', () => move(-1));
onKey('m', 'Copy the flow as Mermaid', () => run.querySelector('[data-copy="#mermaid"]').click());

if (run.dataset.steps !== undefined) begin();
if (location.hash) open(location.hash);
