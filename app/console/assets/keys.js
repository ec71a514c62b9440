/** Single keys, for those who do not type just now. Each has a line in the help. */
const actions = new Map();

const isTyping = ({ target }) =>
  target instanceof Element &&
  target.closest('input, textarea, select, [contenteditable]') !== null;

/** @param {string} key as KeyboardEvent has it */
export function onKey(key, what, act) {
  actions.set(key, act);
  const list = document.getElementById('help-keys');
  if (!list) return;
  const term = document.createElement('dt');
  const cap = document.createElement('kbd');
  cap.textContent = key;
  term.append(cap);
  const said = document.createElement('dd');
  said.textContent = what;
  list.append(term, said);
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event) || document.querySelector('dialog[open]')) return;
  // Enter does what it does on whatever has the focus.
  if (event.key === 'Enter' && event.target.closest('a, button, summary')) return;
  const act = actions.get(event.key);
  if (!act) return;
  event.preventDefault();
  act(event);
});
