/** What only the house can do for a platform, beyond what its own tests look at. */
import { createLog } from '../app/log.ts';
import { platformServices } from '../app/platform-services.ts';
import { type Backend, startBackend } from './support/backend.ts';
import { secret } from './support/canaries.ts';

let backend: Backend;

beforeAll(async () => {
  backend = await startBackend();
});

afterAll(() => backend.stop());

test('a fault that breaks no answer: one line for the operator, with nothing that hangs on it', () => {
  const { config, services, url } = backend;
  const lines: Record<string, unknown>[] = [];
  const log = createLog(config, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const { reportFault } = platformServices(config, url, services, log);

  const token = secret('a-token-that-hangs-on-the-error');
  reportFault(Object.assign(new Error('it broke'), { token }), 'extension "greet"');
  reportFault(token, 'extension "greet"');

  expect(lines).toEqual([
    {
      ...{ level: 50, time: expect.any(String), msg: 'fault', doing: 'extension "greet"' },
      err: { name: 'Error', message: 'it broke', stack: expect.stringContaining(' at ') },
    },
    {
      ...{ level: 50, time: expect.any(String), msg: 'fault', doing: 'extension "greet"' },
      err: { name: 'string', message: 'something was thrown that is no error', stack: '' },
    },
  ]);
  expect(JSON.stringify(lines)).not.toContain(token);
});
