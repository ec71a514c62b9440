import { call } from '../../app/scenarios/call.ts';
import { outgoingOf, type Send } from '../../app/scenarios/scenario.ts';

export type Received = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
};

/** Sends a row's request to a backend. */
export async function send(
  baseUrl: string,
  request: Send,
  extra: Readonly<Record<string, string>> = {},
): Promise<Received> {
  const { status, headers, text } = await call(outgoingOf(baseUrl, request, extra));
  return { status, headers: new Headers(headers.map(([name, value]) => [name, value])), text };
}
