/** Tokens of another authorization server, which is asked about each (RFC 7662). */
import { z } from 'zod';
import { Unavailable } from '../verification/unavailable.ts';
import { digest } from './secrets.ts';

export type IntrospectionSettings = {
  readonly INTROSPECTION_URL: string;
  readonly INTROSPECTION_CLIENT_ID: string;
  readonly INTROSPECTION_CLIENT_SECRET: string;
  /** Seconds. */
  readonly INTROSPECTION_CACHE: number;
  /** ms. */
  readonly TOKEN_SOURCE_TIMEOUT: number;
};

/** RFC 7662 §2.2, as far as we rest on it. */
const introspection = z.looseObject({
  active: z.boolean(),
  token_type: z.string().optional(),
  typ: z.string().optional(),
  exp: z.number().optional(),
  iat: z.number().optional(),
});

type Introspection = z.output<typeof introspection>;

/** Some servers call refresh and ID tokens active, too. */
const isOfAnotherKind = ({ token_type = 'Bearer', typ = 'Bearer' }: Introspection) =>
  !/^(bearer|access_token)$/i.test(token_type) || /^(refresh|offline|id)$/i.test(typ);

/** How many answers are kept. */
const most = 10_000;

const formEncoded = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);

/** "Active" answers by the digest of their token, for a short while. The user is not in them: he is read afresh. */
function createCache(seconds: number, now: () => Date) {
  const kept = new Map<string, { readonly until: number; readonly said: Introspection }>();
  return {
    find(key: string): Introspection | undefined {
      const found = kept.get(key);
      if (found && found.until <= now().getTime()) kept.delete(key);
      else return found?.said;
      return undefined;
    },
    keep(key: string, said: Introspection) {
      if (seconds === 0) return;
      const [oldest] = kept.keys();
      if (kept.size >= most && oldest !== undefined) kept.delete(oldest);
      kept.set(key, { until: now().getTime() + seconds * 1000, said });
    },
  };
}

/**
 * What the other server says of an active token; undefined when it is not active.
 *
 * @throws {Unavailable} when it does not answer in time, or with anything but an introspection: that says nothing of the token
 */
export function introspectionSource(settings: IntrospectionSettings, now: () => Date) {
  const { INTROSPECTION_URL, INTROSPECTION_CLIENT_ID, INTROSPECTION_CLIENT_SECRET } = settings;
  // RFC 6749 §2.3.1: both halves are form-encoded.
  const credentials = [INTROSPECTION_CLIENT_ID, INTROSPECTION_CLIENT_SECRET].map(formEncoded);
  const authorization = `Basic ${Buffer.from(credentials.join(':')).toString('base64')}`;
  const cache = createCache(settings.INTROSPECTION_CACHE, now);

  async function ask(token: string): Promise<Introspection> {
    try {
      const response = await fetch(INTROSPECTION_URL, {
        method: 'POST',
        headers: { Authorization: authorization, Accept: 'application/json' },
        body: new URLSearchParams({ token, token_type_hint: 'access_token' }),
        redirect: 'error',
        signal: AbortSignal.timeout(settings.TOKEN_SOURCE_TIMEOUT),
      });
      if (response.status !== 200) throw new Error(`it answered ${response.status}`);
      return introspection.parse(await response.json());
    } catch (cause) {
      throw new Unavailable('the introspection endpoint gave no usable answer', { cause });
    }
  }

  return async (token: string): Promise<Introspection | undefined> => {
    const key = digest(token);
    const known = cache.find(key);
    if (known) return known;
    const said = await ask(token);
    if (!said.active || isOfAnotherKind(said)) return undefined;
    cache.keep(key, said);
    return said;
  };
}
