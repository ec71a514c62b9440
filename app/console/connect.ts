/** Whether the vendor, with what was pasted into his dashboard, would reach this server and understand it. */
import { isIP } from 'node:net';
import { ConfigError } from '../config-error.ts';
import type { Preset } from '../oauth/sign-in.ts';
import type { Resolved } from '../platforms/platform.ts';
import type { Exchange, Flow } from '../scenarios/exchange.ts';
import { jsonIn } from '../scenarios/json.ts';
import { bring, type KeptExchange, keepExchange, newlyPlayed, type Playable } from './flows.ts';
import type { House } from './page.ts';

/** Loopback, private and link-local addresses, RFC 1918, 4193 and 4291; and names that only a local network knows. */
const privateHost =
  /^(localhost|127\..*|10\..*|192\.168\..*|169\.254\..*|172\.(1[6-9]|2\d|3[01])\..*|0\.0\.0\.0|\[::1?\]|\[f[cde].*|.*\.(local|localhost|internal|lan|home\.arpa|test|invalid|example))$/i;

/** Why a vendor could not call this address, or undefined. */
export function reachProblem(baseUrl: string): string | undefined {
  const { hostname, protocol } = new URL(baseUrl);
  const isName = isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
  if (privateHost.test(hostname) || (isName && !hostname.includes('.'))) {
    return `${hostname} is only known on this machine or in its network: no vendor can call it.`;
  }
  if (protocol !== 'https:') {
    return 'It is plain http: tokens and passwords would travel in the clear, and most vendors refuse it.';
  }
  return undefined;
}

/** What came of a self-check. */
export type Check =
  | { readonly problem: string }
  | {
      readonly accepted: boolean;
      readonly outcome: string;
      /** What was said to this backend, without secrets. */
      readonly exchanges: readonly KeptExchange[];
      /** What the mapping makes of the answer; empty when there was none to read. */
      readonly resolved: readonly Resolved[];
    };

type Asked = { readonly login: string; readonly password: string; readonly token: string };

const toBackend = ({ exchanges }: Flow): Exchange[] =>
  exchanges.filter(({ to }) => to === 'Backend');

/** The last answer that the mapping finds anything in. */
function resolvedIn(flow: Flow, resolve: (answer: unknown) => readonly Resolved[]) {
  const answers = toBackend(flow).flatMap(({ reply }) =>
    reply && reply.status >= 200 && reply.status <= 299 ? [resolve(jsonIn(reply.text))] : [],
  );
  const isUseful = (all: readonly Resolved[]) => all.some((one) => one.found !== undefined);
  return answers.findLast(isUseful) ?? answers.at(-1) ?? [];
}

/**
 * Plays the platform, which calls this server where the world is told to: at BASE_URL, over the network. What it brings is
 * the user's password, or a token that is issued for it and revoked at once.
 */
export async function selfCheck(
  house: House,
  one: Playable,
  asked: Asked,
  presets: readonly Preset[],
  actor: string,
): Promise<Check> {
  const { services, issuer } = house;
  const { platform, settings, simulator } = one;
  const variant = asked.token === '' ? 'good' : 'typed';
  const brought = await bring(house, simulator.begins, { ...asked, variant }, presets, actor);
  if ('problem' in brought) return brought;
  const { visitor } = brought;
  try {
    const flow = await newlyPlayed(one, issuer).simulator.play(visitor);
    const card = platform.connect?.(settings, issuer);
    return {
      accepted: flow.accepted,
      outcome: flow.outcome,
      exchanges: toBackend(flow).map((one) => keepExchange(one, undefined, visitor.token)),
      resolved: card ? resolvedIn(flow, card.resolve) : [],
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problem: error.message };
  } finally {
    if (variant === 'good' && visitor.token) await services.tokens.revoke(visitor.token, actor);
  }
}
