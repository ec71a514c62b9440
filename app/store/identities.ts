import { record } from './audit.ts';
import type { Database, Db } from './database.ts';
import { loginKey } from './login.ts';
import { isUniqueViolation } from './unique-violation.ts';
import { isChosen, reserveName } from './usernames.ts';

/** A person as a provider tells of him. */
export type UpstreamPerson = {
  /** The same for ever, at this provider. */
  readonly subject: string;
  /** What he might be called here. */
  readonly login: string;
  readonly name: string;
  /** Verified by the provider, or undefined. */
  readonly email: string | undefined;
  /** An https URL. */
  readonly picture: string | undefined;
};

/**
 * The person with this subject at this provider: known, linked to a user who was there, or created. Undefined: unknown, and
 * to stay so.
 */
export type FindOrCreate = (
  provider: string,
  person: UpstreamPerson,
) => Promise<{ readonly uid: number; readonly created: boolean } | undefined>;

export type IdentityRules = {
  /** Whether a verified e-mail that exactly one user has links the two, once and for all. */
  readonly linkByEmail: boolean;
  /** Whether people who are unknown are let in, as new users. */
  readonly createUsers: boolean;
  /** Logins, folded, that give a right to whoever has them: nobody gets one by what he calls himself elsewhere. */
  readonly reserved: readonly string[];
};

/** In lower case, without what a login cannot have. Nor with an `@`: AURORA would take it for a name of another house. */
const cleanLogin = (text: string) =>
  text
    .toLowerCase()
    .normalize('NFKC')
    .replace(/@.*|[\p{C}\p{Z}]/gsu, '')
    .slice(0, 200)
    .toWellFormed();

/** Numbered from the second attempt on. */
function loginOf({ login, subject }: UpstreamPerson, attempt: number): string {
  const base = cleanLogin(login) || `user-${cleanLogin(subject).slice(0, 40)}`;
  return attempt === 1 ? base : `${base}${attempt}`;
}

/** Text for people, as everywhere in the directory. */
const textOf = (text: string) =>
  text
    .replace(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, 255)
    .toWellFormed();

const nameOf = ({ name, login, subject }: UpstreamPerson) =>
  textOf(name) || textOf(login) || textOf(subject);

/** Who has this address, in whatever case (SQLite: of ASCII letters). Two of them are enough. */
const usersWith = (db: Db, email: string) =>
  db.$queryRaw<{ uid: number }[]>`
    SELECT uid FROM users WHERE lower(email) = lower(${email}) ORDER BY uid LIMIT 2`;

/** Those who sign in at another server, or can: it may have told their logins. */
export async function uidsKnownElsewhere({ prisma }: Pick<Database, 'prisma'>) {
  const rows = await prisma.identity.findMany({ select: { userUid: true } });
  return new Set(rows.map(({ userUid }) => userUid));
}

/** Whether he can sign in nowhere else: whoever runs that server is him. */
export const isOnlyKnownElsewhere = async (
  { prisma }: Pick<Database, 'prisma'>,
  uid: number,
): Promise<boolean> =>
  (await prisma.user.count({ where: { uid, passwordHash: null, identities: { some: {} } } })) > 0;

/** People of other servers in our own database. One is (provider, subject), never an e-mail: that can change hands. */
export function createIdentities(
  database: Database,
  { linkByEmail, createUsers, reserved }: IdentityRules,
): FindOrCreate {
  const { prisma } = database;

  const find = (provider: string, subject: string) =>
    prisma.identity.findUnique({ where: { provider_subject: { provider, subject } } });

  async function userWith(email: string | undefined): Promise<number | undefined> {
    if (!linkByEmail || email === undefined) return undefined;
    const found = await usersWith(prisma, email);
    return found.length === 1 ? found[0]?.uid : undefined;
  }

  const link = (provider: string, { subject }: UpstreamPerson, userUid: number) =>
    prisma.$transaction(async (db) => {
      await db.identity.create({ data: { provider, subject, userUid } });
      const target = `uid:${userUid}`;
      await record(db, { actor: 'system', action: 'identity.link', target, detail: { provider } });
      return { uid: userUid, created: false };
    });

  /**
   * A platform may look people up by e-mail (AURORA): an address that another user has is not kept. Held until the transaction
   * ends, like a name, and after it.
   */
  async function ownerOf(db: Db, email: string | undefined): Promise<number | undefined> {
    if (email === undefined) return undefined;
    await reserveName(database, db, `e-mail ${email.toLowerCase()}`);
    return (await usersWith(db, email))[0]?.uid;
  }

  /** Undefined: somebody has chosen that login for his username, or it is not to be had. */
  const create = (provider: string, person: UpstreamPerson, login: string) =>
    prisma.$transaction(async (db) => {
      const key = loginKey(login) ?? '';
      if (reserved.includes(key)) return undefined;
      await reserveName(database, db, key);
      if (await isChosen(db, key)) return undefined;
      const owner = await ownerOf(db, person.email);
      const { uid } = await db.user.create({
        data: {
          login,
          loginKey: key,
          name: nameOf(person),
          email: owner === undefined ? (person.email ?? null) : null,
          profile: person.picture === undefined ? {} : { picture: person.picture },
          identities: { create: { provider, subject: person.subject } },
        },
      });
      const target = `user:${login}`;
      const detail = {
        provider,
        ...(owner === undefined ? {} : { email: `not kept: uid ${owner} has it` }),
      };
      await record(db, { actor: 'system', action: 'user.create', target, detail });
      return { uid, created: true };
    });

  return async (provider, person) => {
    for (let attempt = 1; attempt < 1000; attempt += 1) {
      // Again at every attempt: the other tab may have been faster.
      const known = await find(provider, person.subject);
      if (known) return { uid: known.userUid, created: false };
      try {
        const linked = await userWith(person.email);
        if (linked !== undefined) return await link(provider, person, linked);
        if (!createUsers) return undefined;
        const created = await create(provider, person, loginOf(person, attempt));
        if (created) return created;
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
      }
    }
    throw new Error('no login was free');
  };
}
