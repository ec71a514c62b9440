/**
 * Every user at every platform, by really asking: each cell is a flow of that platform, played against this server. What a
 * console cannot know, a password that is not public, it does not ask.
 */
import type { Socket } from 'node:net';
import PQueue from 'p-queue';
import type { Preset } from '../oauth/sign-in.ts';
import type { Prisma } from '../store/generated/sqlite/client.ts';
import { loginKey } from '../store/login.ts';
import {
  decisive,
  issuesTokens,
  issueToken,
  newlyPlayed,
  type Playable,
  tokenLifetime,
  type Watched,
  watched,
} from './flows.ts';
import type { House } from './page.ts';
import { ownOrigin } from './replay.ts';
import { outcomeLabel, refusalWords, why } from './why.ts';

/** Users on one page. */
export const pageSize = 25;

/** Flows that are played at the same time. */
const concurrency = 4;

/** Cells that are remembered. */
const mostCells = 2000;

type ShutOut = 'user' | 'group' | undefined;

export type Cell =
  | {
      readonly outcome: 'accepted' | 'refused' | 'fault';
      readonly label: string;
      readonly why: string;
      /** Undefined: there was no answer. */
      readonly ms: number | undefined;
      readonly call: number | undefined;
      readonly at: Date;
      /** At that time. */
      readonly shutOut: ShutOut;
    }
  | { readonly outcome: 'not-asked'; readonly label: string; readonly why: string };

export type MatrixUser = {
  readonly uid: number;
  readonly login: string;
  readonly name: string;
  readonly status: string;
  readonly group: { readonly name: string; readonly status: string } | null;
};

/** Users whose login or group has this in it, in the order of their uids. */
export async function usersOn(
  { services: { database } }: Pick<House, 'services'>,
  search: string,
  page: number,
): Promise<{ users: MatrixUser[]; count: number }> {
  const where: Prisma.UserWhereInput =
    search === ''
      ? {}
      : {
          OR: [
            { loginKey: { contains: loginKey(search) ?? '' } },
            { group: { name: { contains: search } } },
          ],
        };
  const [users, count] = await Promise.all([
    database.prisma.user.findMany({
      where,
      select: {
        uid: true,
        login: true,
        name: true,
        status: true,
        group: { select: { name: true, status: true } },
      },
      orderBy: { uid: 'asc' },
      skip: (page - 1) * pageSize,
      take: pageSize,
    }),
    database.prisma.user.count({ where }),
  ]);
  return { users, count };
}

/** Whose status keeps him out. */
function shutOutBy({ status, group }: MatrixUser): ShutOut {
  if (status !== 'active') return 'user';
  return group && group.status !== 'active' ? 'group' : undefined;
}

function cellOf({ flow, callOf, becauseOf }: Watched, user: MatrixUser, at: Date): Cell {
  const { accepted, exchanges, outcome: concluded } = flow;
  const asked = decisive(
    exchanges.map((one) => ({ ...one, call: callOf(one) })),
    accepted,
  );
  const call = asked?.call;
  const because = asked && becauseOf(asked);
  const broken = asked && (!asked.reply || asked.reply.status >= 500 || call?.chaos);
  const outcome = accepted ? 'accepted' : broken ? 'fault' : 'refused';
  // Our answer can be good, and the platform says no all the same: then it is the platform that knows why.
  const isOurs = call && (broken || call.outcome === outcome);
  const said = because
    ? { label: outcomeLabel({ outcome, because }), why: refusalWords[because] }
    : isOurs
      ? { label: broken ? outcome : outcomeLabel(call), why: why(call) }
      : {
          label: asked && !asked.reply ? 'no answer' : outcome,
          why: asked?.problem ?? `${concluded}.`,
        };
  return {
    outcome,
    ...said,
    ms: call?.ms ?? asked?.reply?.ms,
    call: call?.id,
    at,
    shutOut: shutOutBy(user),
  };
}

const notAsked = (label: string, why: string): Cell => ({ outcome: 'not-asked', label, why });

const needsPassword = notAsked(
  'needs the password',
  'Not asked: only the user knows the password, and it cannot be read here.',
);
/**
 * Whether an answer about a password is still good. To the limit on attempts, a user who is shut out is one who fails: asked
 * too often, he would be locked out, and stay so when he is let in again.
 */
function stands(cell: Cell, user: MatrixUser): boolean {
  const shutOut = shutOutBy(user);
  return shutOut !== undefined && cell.outcome === 'refused' && cell.shutOut === shutOut;
}

export type Matrix = {
  readonly cell: (user: MatrixUser, platform: string) => Cell | undefined;
  /** Asks all platforms about these users. */
  readonly ask: (
    users: readonly MatrixUser[],
    presets: readonly Preset[],
    by: { readonly actor: string; readonly socket: Socket },
  ) => Promise<void>;
};

export function createMatrix(house: House, platforms: readonly Playable[]): Matrix {
  const cells = new Map<string, Cell>();
  const key = ({ uid }: MatrixUser, platform: string) => `${uid} ${platform}`;
  const scope = [
    ...new Set(
      platforms.flatMap(({ simulator: { begins } }) =>
        begins.with === 'token' ? begins.scope : [],
      ),
    ),
  ];

  async function tokenOf({ login }: MatrixUser, actor: string): ReturnType<typeof issueToken> {
    if (!issuesTokens(house)) {
      return { problem: 'The tokens that are verified here come from another server.' };
    }
    return issueToken(house, { login, scope, ttl: tokenLifetime, actor });
  }

  return {
    cell: (user, platform) => cells.get(key(user, platform)),

    async ask(users, presets, { actor, socket }) {
      if (cells.size > mostCells) cells.clear();
      const queue = new PQueue({ concurrency });
      // New ones: what a platform remembers of other flows, such as a device too many, is not asked here.
      const played = platforms.map((one) => ({ one, stage: newlyPlayed(one, ownOrigin(socket)) }));
      const askOne = async (user: MatrixUser) => {
        const { login } = user;
        const issued = await tokenOf(user, actor);
        const password = presets.find((one) => one.login === login)?.password;

        const cellFor = async ({ one, stage }: (typeof played)[number]): Promise<Cell> => {
          const byPassword = one.simulator.begins.with === 'password';
          if (byPassword && password === undefined) return needsPassword;
          if (!byPassword && 'problem' in issued) {
            return notAsked('needs a token', `Not asked. ${issued.problem}`);
          }
          const standing = cells.get(key(user, one.platform.id));
          if (byPassword && standing && stands(standing, user)) return standing;
          const brought = byPassword ? { password: password ?? '' } : issued;
          const seen = await watched(house.calls, () =>
            stage.simulator.play({ login, ...brought }),
          );
          return cellOf(seen, user, house.services.now());
        };

        await Promise.all(
          played.map((platform) =>
            queue.add(async () =>
              cells.set(key(user, platform.one.platform.id), await cellFor(platform)),
            ),
          ),
        );
      };
      await Promise.all(users.map(askOne));
    },
  };
}
