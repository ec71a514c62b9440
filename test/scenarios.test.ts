/** Every row of every platform's table, over real HTTP, against a whole backend. */
import { platforms } from '../app/platforms/index.ts';
import { call, headerOf } from '../app/scenarios/call.ts';
import { differences } from '../app/scenarios/compare.ts';
import { type Bindings, bind, outgoingOf } from '../app/scenarios/scenario.ts';
import { type Backend, type LogLine, startBackend } from './support/backend.ts';
import { bindings } from './support/tokens.ts';

let backend: Backend;
let bound: Bindings;

beforeAll(async () => {
  backend = await startBackend();
  bound = await bindings(backend);
});

afterAll(() => backend.stop());

/** The line of this request, once it is there: the server may log a moment after we have its answer. */
async function logged(requestId: string): Promise<LogLine> {
  for (;;) {
    const line = backend.log.find((one) => one['requestId'] === requestId && 'status' in one);
    if (line) return line;
    await new Promise(setImmediate);
  }
}

describe.each(platforms)('$title', ({ scenarios }) => {
  test.each(scenarios)('$id $title', async (row) => {
    const requestId = `scenario-${row.id}`;
    const { send: request, expect: expected } = bind(row, { ...bound, 'request.id': requestId });
    const sent = outgoingOf(backend.url, request, { 'X-Request-Id': requestId });
    const reply = await call(sent);

    expect(differences(expected, reply)).toEqual([]);
    // What holds for every answer of a verification endpoint.
    expect(headerOf(reply, 'cache-control')).toBe('no-store');
    if (request.method !== 'HEAD') {
      expect(headerOf(reply, 'content-length')).toBe(String(Buffer.byteLength(reply.text)));
    }
    // The wire does not say why; our own log does.
    const { status, refused } = await logged(requestId);
    expect({ status, refused }).toEqual({ status: expected.status, refused: row.because });
  });
});
