import { formOf, type Seen, type Visitor } from './visitor.ts';

/** Opens this link of ours, signs in at our own page, and comes back to where the link led from: the last answer of ours. */
export async function signInThrough(
  who: Visitor,
  start: string,
  login: string,
  password = login,
): Promise<Seen> {
  const begun = await who.get(start);
  const page = await who.get(String(begun.location));
  const sent = await who.post('/login', { ...formOf(page.text, '/login'), login, password });
  return who.get(String(sent.location));
}
