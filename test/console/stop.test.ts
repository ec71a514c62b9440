/** A console that is open does not keep the server from stopping. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { endProcesses, startServer } from '../support/processes.ts';

const folder = mkdtempSync(join(tmpdir(), 'partner-idp-kit-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(async () => {
  await endProcesses();
  await database.drop();
  rmSync(folder, { recursive: true });
});

test('events end at once when the server is told to stop', async () => {
  const server = startServer({
    DATABASE_URL: database.url,
    SECRETS_FILE: join(folder, 'secrets.env'),
    KEYS_FILE: join(folder, 'keys.json'),
  });
  const url = await server.url;
  const events = await fetch(`${url}/console/log/events`);
  expect(events.status).toBe(200);
  const read = events.text();

  server.child.kill('SIGTERM');
  expect(await read).toMatch(/^event: ?reset$/m);
  const { code, stdout } = await server.ended;
  expect(code).toBe(0);
  expect(stdout).not.toContain('took too long and were cut off');
}, 30_000);
