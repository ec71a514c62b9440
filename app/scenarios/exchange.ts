/** What was said between whom, as it was said: the record of a flow that a simulator plays. */
import type { Answer } from '../http/answer.ts';
import { CallError, type CallOptions, call, type Outgoing, type Reply } from './call.ts';

/** Service: one that was handed a permission token (dgp-oauth2). */
export type Party = 'App' | 'Browser' | 'Platform' | 'Service' | 'Backend';

export type Exchange = {
  readonly from: Party;
  readonly to: Party;
  readonly request: Outgoing;
  /** Undefined: there was none, `problem` says why. */
  readonly reply: Reply | undefined;
  readonly problem: string | undefined;
  /** What the asking side makes of it, in plain words, e.g. "the token is of uid 2345". */
  readonly concluded: string;
  /** The places of the request and of its reply among all of the record, from 0: one exchange can go on inside another. */
  readonly order: { readonly request: number; readonly reply: number };
};

/** A flow as it was played. */
export type Flow = {
  /** In the order of their requests. */
  readonly exchanges: readonly Exchange[];
  /** Whether the platform let the user in. */
  readonly accepted: boolean;
  /** In plain words, e.g. "Authlete denies the login". */
  readonly outcome: string;
};

type Saying = Pick<Exchange, 'from' | 'to' | 'request'>;

/** What came of it. `conclude` is only asked when there is a reply. */
type Conclusion = { readonly reply?: Reply; readonly problem?: string; readonly concluded: string };

export type Recorder = {
  /** In the order of their requests. */
  readonly exchanges: () => readonly Exchange[];
  /** Notes the request now, the rest when the returned function is called. */
  readonly begin: (saying: Saying) => (conclusion: Conclusion) => void;
};

export function createRecorder(): Recorder {
  const exchanges: Exchange[] = [];
  let next = 0;
  const place = () => {
    next += 1;
    return next - 1;
  };
  return {
    exchanges: () => exchanges.toSorted((a, b) => a.order.request - b.order.request),
    begin(saying) {
      const request = place();
      return ({ reply, problem, concluded }) => {
        exchanges.push({
          ...saying,
          reply,
          problem,
          concluded,
          order: { request, reply: place() },
        });
      };
    },
  };
}

/** How a backend is called, and who is told of each exchange with it when it is over. */
export type AskOptions = CallOptions & {
  readonly watch?: (exchange: Omit<Exchange, 'order'>) => void;
};

/**
 * Calls over real HTTP, and notes it. Without a whole reply: undefined, and the record has the problem.
 *
 * @param conclude what the asking side makes of the reply, and the words for it
 */
export async function ask<Conclusion>(
  recorder: Recorder,
  saying: Saying,
  conclude: (reply: Reply) => { readonly value: Conclusion; readonly concluded: string },
  { watch, ...options }: AskOptions = {},
): Promise<Conclusion | undefined> {
  const note = recorder.begin(saying);
  const end = (made: Pick<Exchange, 'concluded'> & { reply?: Reply; problem?: string }) => {
    note(made);
    watch?.({ ...saying, reply: made.reply, problem: made.problem, concluded: made.concluded });
  };
  try {
    const reply = await call(saying.request, options);
    const { value, concluded } = conclude(reply);
    end({ reply, concluded });
    return value;
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    end({ problem: error.message, concluded: 'no usable answer' });
    return undefined;
  }
}

/** The same, of a party that is played in this process: its answer is a value. */
export async function askPlayed(
  recorder: Recorder,
  saying: Saying,
  answer: () => Promise<{ readonly answer: Answer; readonly concluded: string }>,
): Promise<Answer> {
  const end = recorder.begin(saying);
  const begun = performance.now();
  const played = await answer();
  const { status, headers, body } = played.answer;
  const reply = {
    status,
    headers: Object.entries(headers),
    text: body,
    ms: performance.now() - begun,
  };
  end({ reply, concluded: played.concluded });
  return played.answer;
}
