/** Faults on demand, to see what a platform makes of them: one for its next call, then it is over. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, json } from '../http/answer.ts';

type Fault = {
  /** For people: "the next call gets …". */
  readonly what: string;
  readonly answer: (asked: () => Promise<Answer>, late: () => Promise<unknown>) => Promise<Answer>;
};

/** In ms. Longer than most platforms wait. */
const delay = 10_000;

const faults = {
  delay: {
    what: `its answer ${delay / 1000} seconds late`,
    async answer(asked, late) {
      await late();
      return asked();
    },
  },
  'server-error': {
    what: '500, without being looked at',
    answer: async () => json(500, { error: 'server_error' }),
  },
  'too-many': {
    what: '429 with Retry-After, without being looked at',
    answer: async () => json(429, { error: 'too_many_requests' }, { 'Retry-After': '5' }),
  },
  malformed: {
    what: 'half of its answer: JSON that cannot be parsed',
    async answer(asked) {
      const answer = await asked();
      return { ...answer, body: answer.body.slice(0, Math.ceil(answer.body.length / 2)) };
    },
  },
  'wrong-type': {
    what: 'its answer as text/html',
    async answer(asked) {
      const answer = await asked();
      return {
        ...answer,
        headers: {
          ...answer.headers,
          'Content-Type': 'text/html; charset=utf-8',
          // What callers sent may be in it: a browser that shows it must not run it.
          'Content-Security-Policy': "default-src 'none'; sandbox",
        },
      };
    },
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

export const faultNames = Object.keys(faults) as FaultName[];

export const isFault = (name: string | undefined): name is FaultName =>
  name !== undefined && Object.hasOwn(faults, name);

export const faultText = (name: FaultName): string => faults[name].what;

export type Chaos = {
  readonly arm: (platform: string, fault: FaultName) => void;
  readonly disarm: (platform: string) => void;
  readonly armed: () => readonly {
    readonly platform: string;
    readonly title: string;
    readonly fault: FaultName;
    readonly what: string;
  }[];
  /** Told whenever something is armed, disarmed or spent. @returns ends it */
  readonly listen: (listener: () => void) => () => void;
  /** The answer to a call of this platform, with what is armed for it. */
  readonly meddle: (
    platform: string,
    asked: () => Promise<Answer>,
  ) => { readonly fault: FaultName | undefined; readonly answer: Promise<Answer> };
};

/**
 * @param titles of the platforms, by id
 * @param late how an answer is held back
 */
export function createChaos(
  titles: ReadonlyMap<string, string>,
  late = (): Promise<unknown> => pause(delay, undefined, { ref: false }),
): Chaos {
  const armed = new Map<string, FaultName>();
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  return {
    arm(platform, fault) {
      armed.set(platform, fault);
      tell();
    },
    disarm(platform) {
      armed.delete(platform);
      tell();
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    armed: () =>
      [...armed].map(([platform, fault]) => ({
        platform,
        title: titles.get(platform) ?? platform,
        fault,
        what: faults[fault].what,
      })),
    meddle(platform, asked) {
      const fault = armed.get(platform);
      if (fault === undefined) return { fault, answer: asked() };
      armed.delete(platform);
      tell();
      return { fault, answer: faults[fault].answer(asked, late) };
    },
  };
}
