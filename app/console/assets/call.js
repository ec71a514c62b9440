/** The page of one call: its keys. */
import { onKey } from './keys.js';

onKey('r', 'Replay', () => document.querySelector('form[action$="/replay"]').requestSubmit());
onKey('c', 'Copy as curl', () => document.querySelector('[data-copy="#curl"]').click());
onKey('e', 'Edit and replay', () => document.querySelector('a[href$="/edit"]').click());
