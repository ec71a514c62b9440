/**
 * The one place where text becomes elements: what our own server rendered, which escapes. A policy of the page (Trusted
 * Types) lets no other script do it.
 */
const policy = globalThis.trustedTypes?.createPolicy('console', { createHTML: (text) => text });

/** The elements of that HTML. @returns {DocumentFragment} */
export function elementsOf(text) {
  const template = document.createElement('template');
  template.innerHTML = policy ? policy.createHTML(text) : text;
  return template.content;
}

/** A part of a page, from this server. */
export async function fragmentOf(path, options) {
  const response = await fetch(path, { headers: { accept: 'text/html' }, ...options });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return elementsOf(await response.text());
}
