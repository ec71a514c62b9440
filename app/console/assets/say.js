/** Shows a short message, and announces it to those who do not see it. */
export function say(text) {
  const place = document.getElementById('said');
  const toast = document.createElement('div');
  toast.className = 'toast';
  toast.textContent = text;
  place.replaceChildren(toast);
  setTimeout(() => toast.remove(), 6000);
}
