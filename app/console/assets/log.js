/** The log, live: new calls on top, one of them open beside it, filters without reloading. */
import { elementsOf, fragmentOf } from './fragment.js';
import { onKey } from './keys.js';
import { say } from './say.js';
import { submit } from './submit.js';
import { tellTimes } from './times.js';

const byId = (id) => document.getElementById(id);

const rows = byId('rows');
const list = byId('list');
const none = byId('none');
const pane = byId('pane');
const split = byId('split');
const filters = byId('filters');
const live = byId('live');
const waiting = byId('waiting');
const here = location.pathname;
const most = 500;

// ── Where we are

const query = () => {
  const given = [...new FormData(filters)].filter(([, value]) => value.trim() !== '');
  return new URLSearchParams(given);
};

function tell(state, text) {
  live.dataset.state = state;
  byId('live-text').textContent = text;
}

function showWhatThereIs() {
  const empty = rows.childElementCount === 0;
  list.hidden = empty;
  none.hidden = !empty;
  byId('none-text').textContent = query().size > 0 ? 'No call is like that' : 'No calls yet';
}

// ── Calls as they come; held back while one is open

/** HTML of rows, oldest first. */
let held = [];
let last = byId('calls').dataset.last;
let source;
let again;

const isOpen = () => !pane.hidden;

function add(html) {
  const row = elementsOf(html).firstElementChild;
  // After a reconnection some may come twice.
  if (rows.querySelector(`[data-call="${row.dataset.call}"]`)) return;
  row.classList.add('new');
  rows.prepend(row);
  while (rows.childElementCount > most) rows.lastElementChild.remove();
}

function flush() {
  for (const html of held) add(html);
  held = [];
  waiting.hidden = true;
  showWhatThereIs();
}

/** For those who do not see them come: not each of a burst. */
let news = 0;
let announcing = false;

function announce() {
  news += 1;
  if (announcing) return;
  announcing = true;
  setTimeout(() => {
    byId('news').textContent = news === 1 ? 'A new call' : `${news} new calls`;
    news = 0;
    announcing = false;
  }, 1000);
}

function arrive({ row }) {
  announce();
  if (!isOpen()) {
    add(row);
    showWhatThereIs();
    return;
  }
  held = [...held, row].slice(-most);
  byId('show-waiting').textContent =
    held.length === 1 ? 'Show 1 new call' : `Show ${held.length} new calls`;
  waiting.hidden = false;
}

function tellState() {
  if (isOpen()) tell('paused', 'paused while a call is open');
  else if (source?.readyState === EventSource.OPEN) tell('on', 'live');
  else tell('off', 'connecting');
}

/** The banner of what is armed: here calls come, and spend it. */
async function tellArmed() {
  const found = await fragmentOf(here.replace(/\/log$/, '/chaos/armed')).catch(() => undefined);
  const place = byId('armed');
  if (found && found.textContent !== place.textContent) place.replaceChildren(found);
}

function listen() {
  source?.close();
  clearTimeout(again);
  const asked = query();
  asked.set('lastEventId', last);
  source = new EventSource(`${here}/events?${asked}`);
  source.addEventListener('open', () => {
    tellState();
    // While nobody listened, it may have changed.
    void tellArmed();
  });
  source.addEventListener('armed', tellArmed);
  source.addEventListener('call', (event) => {
    last = event.lastEventId;
    arrive(JSON.parse(event.data));
  });
  source.addEventListener('reset', (event) => {
    last = event.lastEventId;
    void load();
  });
  source.addEventListener('error', () => {
    tellState();
    // It was refused: the browser does not ask again by itself.
    if (source.readyState === EventSource.CLOSED) again = setTimeout(listen, 5000);
  });
}

async function load() {
  try {
    const found = await fragmentOf(`${here}/rows?${query()}`);
    held = [];
    waiting.hidden = true;
    rows.replaceChildren(found);
    showWhatThereIs();
  } catch {
    tell('off', 'the server does not answer');
  }
}

byId('show-waiting').addEventListener('click', flush);
listen();

// ── Filters

let typing;

function filter() {
  clearTimeout(typing);
  const asked = query();
  history.replaceState(null, '', asked.size > 0 ? `${here}?${asked}` : here);
  void load();
  listen();
}

filters.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(filter, 200);
});
filters.addEventListener('submit', (event) => {
  event.preventDefault();
  filter();
});

// ── One call, beside the list where there is room

const links = () => [...rows.querySelectorAll('.what a')];
const isRoomy = () => getComputedStyle(pane).position === 'sticky';

let current;

function mark(id) {
  current = id;
  for (const link of links()) {
    if (link.closest('tr').dataset.call === id) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}

async function open(url) {
  try {
    pane.replaceChildren(await fragmentOf(`${url}?part=1`));
  } catch {
    say('The call is not there any more.');
    return;
  }
  for (const one of pane.querySelectorAll('[data-needs-script]')) one.hidden = false;
  tellTimes();
  pane.hidden = false;
  split.classList.add('open');
  mark(pane.firstElementChild.dataset.open);
  tellState();
}

function close() {
  if (!isOpen()) return;
  const link = rows.querySelector(`[data-call="${current}"] .what a`);
  pane.hidden = true;
  pane.replaceChildren();
  split.classList.remove('open');
  mark(undefined);
  flush();
  tellState();
  link?.focus();
}

rows.addEventListener('click', (event) => {
  const link = event.target.closest('.what a');
  if (!link || !isRoomy() || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.hasAttribute('aria-current')) close();
  else void open(link.pathname);
});

// ── Replay, and what came of it

/** The call that is meant: the open one, else the one with the focus, else the newest. */
function meant() {
  const focused = document.activeElement?.closest('tr[data-call]')?.dataset.call;
  return (isOpen() ? current : undefined) ?? focused ?? rows.querySelector('tr')?.dataset.call;
}

const callUrl = (id) => here.replace(/\/log$/, `/calls/${id}`);

async function replay(form) {
  const { ok, url, text } = await submit(form);
  if (!ok || !/\/calls\/\d+$/.test(url)) {
    const problem = elementsOf(text).querySelector('[role="alert"], main p')?.textContent;
    say(problem ?? 'It could not be sent.');
    return;
  }
  const { pathname } = new URL(url);
  say(`Sent again: call ${pathname.split('/').at(-1)}.`);
  if (isOpen()) await open(pathname);
}

function replayMeant() {
  const id = meant();
  if (id === undefined) return;
  const form = byId('act');
  form.action = `${callUrl(id)}/replay`;
  void replay(form);
}

pane.addEventListener('submit', (event) => {
  event.preventDefault();
  void replay(event.target);
});

async function copyMeant() {
  const id = meant();
  if (id === undefined) return;
  const response = await fetch(`${callUrl(id)}/curl`);
  if (!response.ok) return;
  try {
    await navigator.clipboard.writeText(await response.text());
    say(`Call ${id} is copied as curl.`);
  } catch {
    say('The browser does not let this page copy.');
  }
}

// ── Keys

function move(by) {
  const all = links();
  const focused = all.indexOf(document.activeElement);
  const opened = all.findIndex((link) => link.hasAttribute('aria-current'));
  const from = focused === -1 ? opened : focused;
  const to = all[from === -1 ? 0 : Math.min(Math.max(from + by, 0), all.length - 1)];
  to?.focus();
  to?.closest('tr').scrollIntoView({ block: 'nearest' });
  if (isOpen() && to) void open(to.pathname);
}

onKey('/', 'Search', () => byId('text').focus());
onKey('j', 'Next call', () => move(1));
onKey('k', 'The call before', () => move(-1));
onKey('Enter', 'Open the call', () =>
  document.activeElement?.closest('tr')?.querySelector('a')?.click(),
);
onKey('Escape', 'Close it', close);
onKey('r', 'Replay', replayMeant);
onKey('c', 'Copy as curl', copyMeant);

byId('text').addEventListener('keydown', (event) => {
  if (event.key === 'Escape') byId('text').blur();
});
