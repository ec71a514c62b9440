import { record } from './audit.ts';
import type { Database } from './database.ts';
import { loginKey, loginProblem } from './login.ts';
import { isUniqueViolation } from './unique-violation.ts';

/** A person as a provider tells of him. */
export type UpstreamPerson = {
  readonly subject: string;
  readonly login: string;
  readonly name: string;
  /** Verified by the provider, or undefined. */
  readonly email: string | undefined;
};

/** The uid of the person with this subject at this provider: known, linked, or created. */
export type FindOrCreate = (provider: string, person: UpstreamPerson) => Promise<number>;

/** In lower case, without what a login cannot have; numbered from the second attempt on. */
function loginOf({ login, subject }: UpstreamPerson, attempt: number): string {
  const usable = login
    .toLowerCase()
    .normalize('NFKC')
    .replace(/[\p{C}\p{Z}]/gu, '')
    .slice(0, 200);
  const base = loginProblem(usable) === undefined ? usable : `user-${subject.slice(0, 40)}`;
  return attempt === 1 ? base : `${base}${attempt}`;
}

/** Text for people, as everywhere in the directory. */
const nameOf = ({ name, login }: UpstreamPerson) =>
  name
    .toWellFormed()
    .replace(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, 255) || login.slice(0, 255);

/**
 * People of other servers in our own database. One is (provider, subject), never an e-mail: that can change hands. With
 * `linkByEmail`, a verified e-mail that exactly one user has links the two, once and for all.
 */
export function createIdentities(
  { prisma }: Database,
  { linkByEmail }: { linkByEmail: boolean },
): FindOrCreate {
  const find = (provider: string, subject: string) =>
    prisma.identity.findUnique({ where: { provider_subject: { provider, subject } } });

  async function userWith(email: string | undefined): Promise<number | undefined> {
    if (!linkByEmail || email === undefined) return undefined;
    const emails = [...new Set([email, email.toLowerCase()])];
    const found = await prisma.user.findMany({ where: { email: { in: emails } }, take: 2 });
    return found.length === 1 ? found[0]?.uid : undefined;
  }

  const link = (provider: string, { subject }: UpstreamPerson, userUid: number) =>
    prisma.$transaction(async (db) => {
      await db.identity.create({ data: { provider, subject, userUid } });
      const target = `uid:${userUid}`;
      await record(db, { actor: 'system', action: 'identity.link', target, detail: { provider } });
      return userUid;
    });

  const create = (provider: string, person: UpstreamPerson, login: string) =>
    prisma.$transaction(async (db) => {
      const { uid } = await db.user.create({
        data: {
          login,
          loginKey: loginKey(login) ?? '',
          name: nameOf(person),
          email: person.email ?? null,
          profile: {},
          identities: { create: { provider, subject: person.subject } },
        },
      });
      const target = `user:${login}`;
      await record(db, { actor: 'system', action: 'user.create', target, detail: { provider } });
      return uid;
    });

  return async (provider, person) => {
    for (let attempt = 1; attempt < 1000; attempt += 1) {
      // Again at every attempt: the other tab may have been faster.
      const known = await find(provider, person.subject);
      if (known) return known.userUid;
      try {
        const linked = await userWith(person.email);
        return linked === undefined
          ? await create(provider, person, loginOf(person, attempt))
          : await link(provider, person, linked);
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
      }
    }
    throw new Error('no login was free');
  };
}
