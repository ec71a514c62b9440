/** The keyboard of the list, and the field for a password that is only there when one is to be typed. */
import { onKey } from './keys.js';

const search = document.querySelector('[role="search"] input[type="search"]');
if (search) {
  onKey('/', 'Search', () => {
    search.focus();
    search.select();
  });
}

const newUser = document.getElementById('new-user');
if (newUser) onKey('n', 'New user', () => newUser.click());

for (const choice of document.querySelectorAll('[data-password]')) {
  const typed = choice.querySelector('[data-typed]');
  const show = () => {
    typed.hidden = choice.querySelector('input[value="typed"]:checked') === null;
  };
  choice.addEventListener('change', show);
  show();
}
