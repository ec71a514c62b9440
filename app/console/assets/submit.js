/**
 * Sends a form as the browser would, without leaving the page.
 *
 * @returns {Promise<{ ok: boolean, url: string, text: string }>} the page that it led to
 */
export async function submit(form) {
  const body = new URLSearchParams(new FormData(form));
  const response = await fetch(form.action, {
    method: 'POST',
    body,
    headers: { accept: 'text/html' },
  });
  return { ok: response.ok, url: response.url, text: await response.text() };
}
