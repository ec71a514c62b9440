/** Shows the API reference with Swagger UI. What is tried out goes to the server that the page is from, and nowhere else. */
const root = document.documentElement;
const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

function paint() {
  const { theme } = root.dataset;
  root.classList.toggle('dark-mode', theme ? theme === 'dark' : systemIsDark.matches);
}

/** The document with the address that this browser has for the server, which may have others for the world. */
async function documentAt(path) {
  const text = await (await fetch(path)).text();
  const [{ url }] = JSON.parse(text).servers;
  return JSON.parse(text.replaceAll(url, location.origin));
}

paint();
systemIsDark.addEventListener('change', paint);

const place = document.querySelector('#swagger-ui');
const { SwaggerUIBundle } = globalThis;
const ui = SwaggerUIBundle({
  domNode: place,
  spec: await documentAt(place.dataset.document),
  oauth2RedirectUrl: `${location.origin}${place.dataset.return}`,
  // Its links stand within buttons, which no screen reader can tell apart.
  deepLinking: false,
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  persistAuthorization: false,
  // The numbers of the usual one are too dark.
  syntaxHighlight: { theme: 'tomorrow-night' },
  validatorUrl: null,
});
ui.initOAuth({ usePkceWithAuthorizationCodeGrant: true });

// ── What Swagger UI does not tell those who hear the page

const labels = [
  ['.information-container', 'About', 'region'],
  ['.schemes-server-container', 'Server', 'region'],
  ['.modal-ux', 'Authorizations', 'dialog'],
  ['#servers', 'Server'],
  ['.examples-select-element', 'Example'],
  ['.close-modal', 'Close'],
];

function attribute(selector, name, value) {
  for (const one of place.querySelectorAll(`${selector}:not([${name}])`)) {
    one.setAttribute(name, typeof value === 'function' ? value(one) : value);
  }
}

function complete() {
  for (const [selector, label, role] of labels) {
    attribute(selector, 'aria-label', label);
    if (role) attribute(selector, 'role', role);
  }
  attribute('[role="region"].responses-table', 'aria-label', ({ id }) => id.replaceAll('_', ' '));
  attribute('select', 'aria-label', (one) => one.closest('tr')?.dataset.paramName ?? 'Choice');
  // They begin at 1, and go on at 3.
  for (const level of [3, 4, 5, 6]) attribute(`h${level}`, 'aria-level', level - 1);
  // Buttons that are called otherwise than what stands on them.
  for (const one of place.querySelectorAll('.auth-btn-wrapper [aria-label]')) {
    one.removeAttribute('aria-label');
  }
}

complete();
new MutationObserver(complete).observe(place, { childList: true, subtree: true });
