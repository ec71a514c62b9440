/** What the tests of the console's suite share: platforms of a few rows, and a backend that plays them. */
import { platforms } from '../../app/platforms/index.ts';
import type { Platform } from '../../app/platforms/platform.ts';
import {
  startThrowAwayBackend,
  type ThrowAwayBackend,
} from '../../app/scenarios/throw-away-backend.ts';
import { type Backend, startBackend } from './backend.ts';
import { secret } from './canaries.ts';

const platformOf = (id: string): Platform => {
  const found = platforms.find((one) => one.id === id);
  if (!found) throw new Error(`there is no platform ${id}`);
  return found;
};

const pango = platformOf('pango');
const authlete = platformOf('authlete');
const [vendorsExample, ...others] = pango.scenarios;

/** Three rows that pass. */
export const few: readonly Platform[] = [
  { ...pango, scenarios: pango.scenarios.slice(0, 3), stories: [] },
];

/** As many platforms with three rows each, and two stories. Of Pango's rows the first asks for what it does not get. */
export const failing: readonly Platform[] = [
  {
    ...pango,
    scenarios: [
      ...(vendorsExample
        ? [{ ...vendorsExample, expect: { status: 200, text: '{"result":"OK","user":{"uid":1}}' } }]
        : []),
      ...others.slice(0, 2),
    ],
    stories: (pango.stories ?? []).slice(0, 1),
  },
  {
    ...authlete,
    scenarios: authlete.scenarios.slice(0, 3),
    stories: (authlete.stories ?? []).slice(0, 1),
  },
];

export type SuiteBackend = Backend & {
  /** Those that were started to be played on, in their order. */
  readonly played: readonly ThrowAwayBackend[];
  /** What the next ones wait for before they start. */
  gate: () => Promise<unknown>;
};

/** A backend with a console that can play the suite. Secrets of those that it plays on are remembered. */
export async function startSuite(registry: readonly Platform[]): Promise<SuiteBackend> {
  const played: ThrowAwayBackend[] = [];
  const backend = await startBackend({}, registry, {
    async startBackend() {
      await suite.gate();
      const started = await startThrowAwayBackend();
      for (const { value } of started.secrets) secret(value);
      played.push(started);
      return started;
    },
  });
  const suite: SuiteBackend = { ...backend, played, gate: async () => {} };
  return suite;
}
