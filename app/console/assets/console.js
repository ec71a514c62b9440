/** What every page of the console has: theme, presenter size, help, copying, and times that keep up. */
import { onKey } from './keys.js';
import { remember } from './remember.js';
import { say } from './say.js';
import { tellTimes } from './times.js';

for (const one of document.querySelectorAll('[data-needs-script]')) one.hidden = false;
for (const one of document.querySelectorAll('[data-no-script]')) one.hidden = true;

// ── Theme and size

const root = document.documentElement;
const themes = [undefined, 'light', 'dark'];
const themeName = document.querySelector('[data-theme-name]');
const sizeButton = document.querySelector('[data-size-toggle]');

const nameOf = (theme) => theme ?? 'auto';

function nextTheme() {
  const theme = themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length];
  remember('theme', theme);
  themeName.textContent = nameOf(theme);
  say(theme ? `Theme: ${theme}` : 'Theme: as the system has it');
}

function toggleSize() {
  const large = root.dataset.size !== 'presenter';
  remember('size', large ? 'presenter' : undefined);
  sizeButton.setAttribute('aria-pressed', String(large));
  say(large ? 'Presenter size' : 'Usual size');
}

themeName.textContent = nameOf(root.dataset.theme);
sizeButton.setAttribute('aria-pressed', String(root.dataset.size === 'presenter'));
document.querySelector('[data-theme-toggle]').addEventListener('click', nextTheme);
sizeButton.addEventListener('click', toggleSize);

// ── Help

const help = document.getElementById('help');
const showHelp = () => help.showModal();
document.querySelector('[data-help]').addEventListener('click', showHelp);
help.addEventListener('click', (event) => {
  if (event.target === help) help.close();
});

onKey('t', 'Theme: as the system has it, light, dark', nextTheme);
onKey('p', 'Presenter size, and back', toggleSize);
onKey('?', 'This help', showHelp);

// ── Copying

document.addEventListener('click', async ({ target }) => {
  const button = target instanceof Element && target.closest('[data-copy], [data-copy-text]');
  if (!button) return;
  const { copy, copyText } = button.dataset;
  const text = copyText ?? document.querySelector(copy)?.textContent ?? '';
  try {
    await navigator.clipboard.writeText(text);
    say('Copied.');
  } catch {
    say('The browser does not let this page copy. Select the text instead.');
  }
});

// ── Times, and where one is

tellTimes();
setInterval(tellTimes, 10_000);

// Where the navigation is too long for a phone.
document
  .querySelector('.nav-link[aria-current]')
  ?.scrollIntoView({ block: 'nearest', inline: 'center' });
