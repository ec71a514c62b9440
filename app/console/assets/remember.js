/** What this browser remembers of the console's look. One that stores nothing forgets it with the page. */
export function remember(name, value) {
  const root = document.documentElement;
  if (value === undefined) delete root.dataset[name];
  else root.dataset[name] = value;
  try {
    if (value === undefined) localStorage.removeItem(`console-${name}`);
    else localStorage.setItem(`console-${name}`, value);
  } catch {
    // Private mode of some browsers.
  }
}
