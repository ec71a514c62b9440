import { OAuthError } from './errors.ts';

/** The parameters of an OAuth request: each at most once, an empty one absent (RFC 6749 §3.1, §3.2). */
export type Parameters = Readonly<Record<string, string>>;

/** @throws {OAuthError} invalid_request when one occurs twice */
export function singleParameters(given: Readonly<Record<string, unknown>>): Parameters {
  const single: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'string') {
      throw new OAuthError('invalid_request', `The parameter ${printable(name)} occurs twice.`);
    }
    if (value !== '') single[name] = value;
  }
  return single;
}

/** RFC 6749 §5.2 allows only these characters in a description. */
const printable = (text: string) =>
  text.slice(0, 40).replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?');

/** @throws {OAuthError} invalid_request when it is not there */
export function required(parameters: Parameters, name: string): string {
  const value = parameters[name];
  if (value === undefined) throw new OAuthError('invalid_request', `${name} is missing.`);
  return value;
}

/**
 * The scope that is asked for, or all that may be had. @throws {OAuthError} invalid_scope for more than that (RFC 6749 §3.3)
 */
export function grantedScope(asked: string | undefined, allowed: readonly string[]): string[] {
  if (asked === undefined) return [...allowed];
  const scope = [...new Set(asked.split(' ').filter((name) => name !== ''))];
  if (scope.length === 0 || !scope.every((name) => allowed.includes(name))) {
    throw new OAuthError('invalid_scope', `The scope can be: ${allowed.join(' ')}.`);
  }
  return scope;
}

/** RFC 8707 §2: an absolute URI without a fragment. @throws {OAuthError} invalid_target */
export function resourceIndicator(resource: string | undefined): string | undefined {
  if (resource === undefined) return undefined;
  const printableAscii = /^[\x21-\x7e]{1,2000}$/.test(resource);
  if (!printableAscii || !URL.canParse(resource) || resource.includes('#')) {
    throw new OAuthError('invalid_target', 'resource must be an absolute URI without a fragment.');
  }
  return resource;
}
