/** Why a call was answered as it was, in words for the people in front of the console. The platform is told less. */
import type { Refusal } from '../verification/verdict.ts';
import type { Call, Outcome } from './calls.ts';
import { faultText } from './chaos.ts';

export const refusalWords = {
  malformed: 'The request is not of the form that the platform documents.',
  'no-credential': 'There is no credential in it, or more than one.',
  unknown: 'There is no such token, or no such login.',
  'user-gone': 'The token was good; its user has been deleted since.',
  'wrong-password': 'The login exists; the password is another one.',
  'too-many-attempts':
    'Too many tries at this login, or from this address. The password was not looked at.',
  expired: 'The token was good, and is over.',
  revoked: 'The token was revoked.',
  'wrong-audience': 'The token was issued for another resource than this address.',
  'insufficient-scope': 'The token was issued for something else than what is asked here.',
  'user-suspended': 'The credential is good, but its user is suspended.',
  'group-suspended': 'The credential is good, but its user’s group is suspended.',
  'another-user': 'The credential is good, but belongs to another user than the request names.',
  'no-group': 'The user has no group, and this platform only knows groups.',
  'service-not-allowed': 'The user’s group, or this backend, does not serve the service that asks.',
  'unsupported-credential': 'The credential is of a kind that is not accepted here.',
} as const satisfies Record<Refusal, string>;

const statusWords: Readonly<Record<number, string>> = {
  400: 'The request could not be read.',
  401: 'The caller did not prove to be the platform: its key and secret are not those of the settings.',
  403: 'The request was not allowed.',
  405: 'The path is right, the method is not: `Allow` in the response names those that are answered.',
  413: 'The body is longer than any that a platform sends.',
  415: 'The Content-Type, charset or encoding of the body is not one that is read here.',
};

/** One sentence or two. */
export function why({
  chaos,
  outcome,
  because,
  user,
  nearest,
  response: { status },
}: Call): string {
  if (chaos) return `Chaos was armed: it got ${faultText(chaos)}.`;
  if (because) return refusalWords[because];
  if (nearest) return `No platform’s endpoint is at this path; ${nearest}`;
  if (outcome === 'fault') {
    return 'Something broke on our side. The server’s log has it under this request id.';
  }
  if (outcome === 'accepted') return `The credential is good, and belongs to ${user?.login}.`;
  if (outcome === 'refused')
    return statusWords[status] ?? 'It was refused before a credential was looked at.';
  return 'Nobody was to be verified here.';
}

/** For a badge: one or two words. */
export const outcomeLabel = ({ outcome, because }: Pick<Call, 'outcome' | 'because'>): string =>
  because?.replaceAll('-', ' ') ?? (outcome === 'other' ? 'answered' : outcome);

export const outcomeIcon: Readonly<Record<Outcome, string>> = {
  accepted: 'ok',
  refused: 'no',
  fault: 'fault',
  other: 'other',
};

export const outcomeClass: Readonly<Record<Outcome, string>> = {
  accepted: 'good',
  refused: 'bad',
  fault: 'warn',
  other: '',
};
