/** Every row of every platform's table, over real HTTP, against a whole backend. */
import { platforms } from '../app/platforms/index.ts';
import { type Bindings, bind, send } from '../app/scenarios/scenario.ts';
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
    const received = await send(backend.url, request, { 'x-request-id': requestId });

    expect(received.status).toBe(expected.status);
    if (expected.text !== undefined) expect(received.text).toBe(expected.text);
    if (expected.json !== undefined) expect(JSON.parse(received.text)).toEqual(expected.json);
    for (const [name, value] of Object.entries(expected.headers ?? {})) {
      expect(received.headers.get(name)).toBe(value);
    }
    // What holds for every answer of a verification endpoint.
    expect(received.headers.get('cache-control')).toBe('no-store');
    expect(received.headers.get('content-type')).toBe('application/json; charset=utf-8');
    if (request.method !== 'HEAD') {
      expect(received.headers.get('content-length')).toBe(String(Buffer.byteLength(received.text)));
    }
    // The wire does not say why; our own log does.
    const { status, refused } = await logged(requestId);
    expect({ status, refused }).toEqual({ status: expected.status, refused: row.because });
  });
});
