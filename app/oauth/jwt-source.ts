/** Tokens of another authorization server that are JWTs (RFC 9068, or any other kind), checked with its published keys. */
import {
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyResult,
  jwtVerify,
  type RemoteJWKSet,
} from 'jose';
import { z } from 'zod';
import { Unavailable } from '../verification/unavailable.ts';

export type JwtSettings = {
  readonly JWT_ISSUER: string;
  readonly JWT_AUDIENCE: string;
  readonly JWT_JWKS_URL: string;
  /** ms. */
  readonly TOKEN_SOURCE_TIMEOUT: number;
};

/** Signatures only, of which the verifier has no secret. Never `none`; never HS256, of which a public key could be the secret. */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** RFC 9068 §2.1, RFC 8725 §3.11: a logout token, say, is a good JWT of the same issuer, and no access token. */
const types = ['jwt', 'at+jwt', 'application/at+jwt'];

/** Errors that say something of the token. Any other is of the server, of its keys, or of us. */
const refusals = new Set([
  errors.JWSInvalid.code,
  errors.JWTInvalid.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JWTClaimValidationFailed.code,
]);

const metadata = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

/** RFC 8414 §3.1 puts the well-known part before the issuer's path, OpenID Connect Discovery §4 behind it. */
function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

/** Where the issuer says that its keys are. */
async function discover({ JWT_ISSUER, TOKEN_SOURCE_TIMEOUT }: JwtSettings): Promise<string> {
  const signal = AbortSignal.timeout(TOKEN_SOURCE_TIMEOUT);
  for (const url of metadataUrls(JWT_ISSUER)) {
    const response = await fetch(url, { redirect: 'error', signal });
    if (response.status === 404) continue;
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
    const { issuer, jwks_uri } = metadata.parse(await response.json());
    // RFC 8414 §3.3.
    if (issuer !== JWT_ISSUER) throw new Error(`the metadata is of ${issuer}, not ${JWT_ISSUER}`);
    return jwks_uri;
  }
  throw new Error(`${JWT_ISSUER} has no metadata`);
}

/**
 * The claims of a token that is good, or was until it expired; undefined for any other.
 *
 * @throws {Unavailable} when the keys are needed and cannot be had
 */
export function jwtSource(settings: JwtSettings, now: () => Date) {
  const { JWT_ISSUER, JWT_AUDIENCE, JWT_JWKS_URL, TOKEN_SOURCE_TIMEOUT } = settings;
  let keys: Promise<RemoteJWKSet> | undefined;

  /** Found out when they are first needed: their server may be away while ours starts. */
  function theirKeys(): Promise<RemoteJWKSet> {
    keys ??= (async () => {
      const url = JWT_JWKS_URL === '' ? await discover(settings) : JWT_JWKS_URL;
      return createRemoteJWKSet(new URL(url), { timeoutDuration: TOKEN_SOURCE_TIMEOUT });
    })();
    keys.catch(() => {
      keys = undefined;
    });
    return keys;
  }

  const options = {
    algorithms,
    issuer: JWT_ISSUER,
    ...(JWT_AUDIENCE === '' ? {} : { audience: JWT_AUDIENCE }),
    requiredClaims: ['exp'],
  };

  const namedKey: JWTVerifyGetKey = async (header, jws) => (await theirKeys())(header, jws);

  /** With the key that the header names. Where it names none and several would do, with each. */
  async function verifySignature(token: string): Promise<JWTVerifyResult> {
    const checks = { ...options, currentDate: now() };
    try {
      return await jwtVerify(token, namedKey, checks);
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      for await (const key of error) {
        const found = await jwtVerify(token, key, checks).catch((failure) => {
          if (failure instanceof errors.JWSSignatureVerificationFailed) return undefined;
          throw failure;
        });
        if (found) return found;
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }

  return async (token: string): Promise<JWTPayload | undefined> => {
    try {
      const { payload, protectedHeader } = await verifySignature(token);
      const { typ = 'jwt' } = protectedHeader;
      return types.includes(typ.toLowerCase()) ? payload : undefined;
    } catch (cause) {
      // Signature, issuer and audience were right: the verdict is "expired".
      if (cause instanceof errors.JWTExpired) return cause.payload;
      if (cause instanceof errors.JOSEError && refusals.has(cause.code)) return undefined;
      throw new Unavailable('the keys of the token issuer cannot be had', { cause });
    }
  };
}
