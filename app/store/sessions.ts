import { callbackify } from 'node:util';
import session, { type SessionData } from 'express-session';
import { digest } from '../oauth/secrets.ts';
import type { Database, Db } from './database.ts';

declare module 'express-session' {
  interface SessionData {
    /** Of the user who is signed in. */
    uid?: number;
    /** His, when he signed in. */
    signInEpoch?: number;
    /** That sign-in created him, and nobody was told yet. */
    isNew?: boolean;
  }
}

/** In seconds: how long a session is kept without being used. */
export type SessionLifetimes = {
  readonly signedIn: number;
  /** Of a browser that was only shown a form: anybody can make us keep any number of these. */
  readonly anonymous: number;
};

/** Characters of JSON that one session may take. A session holds a uid, an epoch and a CSRF token. */
const largest = 4096;

/**
 * Sessions in our own database, for several processes. The id is stored as its SHA-256; when a session ends is decided
 * here, and not by the cookie.
 */
function operations({ prisma }: Database, lifetimes: SessionLifetimes, now: () => Date) {
  const later = (seconds: number) => new Date(now().getTime() + seconds * 1000);
  const lifetime = ({ uid }: SessionData) =>
    uid === undefined ? lifetimes.anonymous : lifetimes.signedIn;

  return {
    async get(id: string): Promise<SessionData | null> {
      const row = await prisma.session.findUnique({ where: { idHash: digest(id) } });
      return row && row.expiresAt > now() ? (JSON.parse(row.data) as SessionData) : null;
    },

    async set(id: string, content: SessionData): Promise<void> {
      const idHash = digest(id);
      const data = JSON.stringify(content);
      if (data.length > largest) throw new Error(`a session has ${data.length} characters`);
      const expiresAt = later(lifetime(content));
      await prisma.session.upsert({
        where: { idHash },
        create: { idHash, data, expiresAt },
        update: { data, expiresAt },
      });
    },

    /** Every request touches its session: it is only written when that makes a difference. */
    async touch(id: string, content: SessionData): Promise<void> {
      const seconds = lifetime(content);
      await prisma.session.updateMany({
        where: { idHash: digest(id), expiresAt: { gt: now(), lt: later(seconds * 0.95) } },
        data: { expiresAt: later(seconds) },
      });
    },

    async destroy(id: string): Promise<void> {
      await prisma.session.deleteMany({ where: { idHash: digest(id) } });
    },
  };
}

/** Forgets this user in every browser. `"uid":` in JSON text is the name: within a value its quotes are escaped. */
export async function endSessionsOf(db: Db, uid: number): Promise<void> {
  const holds = [`"uid":${uid},`, `"uid":${uid}}`].map((part) => ({ data: { contains: part } }));
  await db.session.deleteMany({ where: { OR: holds } });
}

const nobody = () => {};

/** As express-session wants it: an emitter, with callbacks. */
class DatabaseSessions extends session.Store {
  readonly #of: ReturnType<typeof operations>;

  constructor(of: ReturnType<typeof operations>) {
    super();
    this.#of = of;
  }

  override get(id: string, done: (error: unknown, found?: SessionData | null) => void) {
    callbackify(this.#of.get)(id, done);
  }

  override set(id: string, content: SessionData, done: (error?: unknown) => void = nobody) {
    callbackify(this.#of.set)(id, content, done);
  }

  override touch(id: string, content: SessionData, done: (error?: unknown) => void = nobody) {
    callbackify(this.#of.touch)(id, content, done);
  }

  override destroy(id: string, done: (error?: unknown) => void = nobody) {
    callbackify(this.#of.destroy)(id, done);
  }
}

export const createSessionStore = (
  database: Database,
  lifetimes: SessionLifetimes,
  now: () => Date,
): session.Store => new DatabaseSessions(operations(database, lifetimes, now));
