/** A story: several steps through a simulator, and what the platform must make of our answers. */
import type { CallOptions } from './call.ts';
import { type CastPerson, groups, people, understudies } from './cast.ts';
import type { Flow } from './exchange.ts';
import { jsonIn } from './json.ts';
import type { Bindings, Scenario } from './scenario.ts';

/** Thrown: why a row or story cannot be played there. It is skipped then, with this reason. */
export class Unplayable extends Error {}

/** Where a story is played. */
export type Stage = {
  /** The backend, without a trailing slash. */
  readonly backend: string;
  /** Ours: it is held to every field. Another one may leave out what its platform can do without. */
  readonly own: boolean;
  readonly bindings: Bindings;
  /** What the platform's dashboard says there besides the simulator's defaults; a story's own settings go before it. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly options: CallOptions;
  /** Notes a flow for the report, and hands it back. */
  readonly show: (flow: Flow) => Flow;
  /**
   * Fails the story, not at once, unless both are deeply equal.
   *
   * @param what the statement in plain words, e.g. "test2 sees the app of test1"
   */
  readonly check: (what: string, actual: unknown, expected: unknown) => void;
};

export type Story = Pick<
  Scenario,
  'id' | 'title' | 'requirement' | 'mark' | 'source' | 'mutating'
> & {
  /** The placeholders it uses, e.g. `token.test1`: without a value for one of them the story is skipped. */
  readonly needs: readonly string[];
  /** The platform decides without the backend: of one that is not ours, that would say nothing. */
  readonly asksNobody?: true;
  readonly play: (stage: Stage) => Promise<void>;
};

/** Whom a story talks about, as the backend at hand knows him. */
export type Person = Pick<CastPerson, 'uid' | 'login' | 'name' | 'email' | 'password'> & {
  /** Of his group, for Authlete. */
  readonly subject: string | undefined;
};

/**
 * Somebody of the cast, or who plays him at a foreign backend: bindings such as `simon371.uid`, `simon371.login`, `.name`,
 * `.email`, `.password`, `.subject` go before the cast.
 *
 * @param login as in cast.ts
 */
export function personOf({ bindings }: Pick<Stage, 'bindings'>, login: string): Person {
  const person = [...people, ...understudies].find((one) => one.login === login);
  if (!person) throw new Error(`${login} is not in the cast`);
  const bound = (fact: string) => bindings[`${login}.${fact}`];
  // Only what is asked for must be known there.
  return {
    get uid() {
      return Number(bound('uid') ?? person.uid);
    },
    get login() {
      return bound('login') ?? person.login;
    },
    get name() {
      return bound('name') ?? person.name;
    },
    get email() {
      return bound('email') ?? person.email;
    },
    get password() {
      return bound('password') ?? person.password;
    },
    get subject() {
      return bound('subject') ?? groups.find(({ name }) => name === person.group)?.subject;
    },
  };
}

/** What the app (or the browser) was answered last in this flow, as JSON; undefined when it is none. */
export function answerIn({ exchanges }: Flow): unknown {
  const reply = exchanges.findLast(({ to }) => to === 'Platform')?.reply;
  return reply && jsonIn(reply.text);
}
