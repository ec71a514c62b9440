import session, { type SessionData } from 'express-session';

type Kept = { readonly text: string; readonly until: number };

type Done = (error?: unknown, found?: SessionData | null) => void;

/**
 * Sessions in the memory of this process, at most so many, the least used forgotten first: for one process, which signs
 * everybody out when it restarts. For several, take a store that they share; tokens will lie in it.
 */
class MemorySessions extends session.Store {
  readonly #kept = new Map<string, Kept>();
  readonly #most: number;
  readonly #lifetime: number;

  constructor(most: number, lifetime: number) {
    super();
    this.#most = most;
    this.#lifetime = lifetime;
  }

  #keep(id: string, text: string) {
    this.#kept.delete(id);
    this.#kept.set(id, { text, until: Date.now() + this.#lifetime });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > this.#most && oldest !== undefined) this.#kept.delete(oldest);
  }

  override get(id: string, done: Done) {
    const found = this.#kept.get(id);
    const good = found !== undefined && found.until > Date.now();
    setImmediate(done, null, good ? JSON.parse(found.text) : null);
  }

  override set(id: string, content: SessionData, done: Done = () => {}) {
    this.#keep(id, JSON.stringify(content));
    setImmediate(done);
  }

  override touch(id: string, _content: SessionData, done: Done = () => {}) {
    // Only the time: another request may have written something newer, or destroyed it.
    const found = this.#kept.get(id);
    if (found) this.#keep(id, found.text);
    setImmediate(done);
  }

  override destroy(id: string, done: Done = () => {}) {
    this.#kept.delete(id);
    setImmediate(done);
  }
}

/** @param lifetime of a session that is not used, in ms */
export const memorySessions = (most: number, lifetime: number): session.Store =>
  new MemorySessions(most, lifetime);
