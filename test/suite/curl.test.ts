/** Every row's curl line, run by a shell against a whole backend: it gets what the row must get. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { platforms } from '../../app/platforms/index.ts';
import type { Outgoing, Reply } from '../../app/scenarios/call.ts';
import { differences } from '../../app/scenarios/compare.ts';
import { curlOf } from '../../app/scenarios/curl.ts';
import { secretsAmong, variableFor } from '../../app/scenarios/fixture.ts';
import { createRedaction } from '../../app/scenarios/redaction.ts';
import type { Secret } from '../../app/scenarios/report.ts';
import { type Bindings, bind, outgoingOf } from '../../app/scenarios/scenario.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { bindings } from '../support/tokens.ts';

let backend: Backend;
let bound: Bindings;
let secrets: readonly Secret[];

beforeAll(async () => {
  backend = await startBackend();
  bound = await bindings(backend);
  secrets = secretsAmong(
    Object.entries(bound).map(([name, value]) => ({ variable: variableFor(name), value })),
  );
});

afterAll(() => backend.stop());

async function bash(line: string): Promise<string> {
  const environment = Object.fromEntries(secrets.map(({ variable, value }) => [variable, value]));
  const { PATH } = process.env;
  // No proxy and no ~/.curlrc of this machine.
  const env = { ...environment, PATH, LC_ALL: 'C.UTF-8', HOME: '/nonexistent' };
  const { stdout, stderr } = await promisify(execFile)('bash', ['--norc', '-uc', line], { env });
  expect(stderr).toBe('');
  return stdout;
}

/** What `curl -i` prints. */
function replyIn(printed: string): Reply {
  const [, head = '', text = ''] = /^(.*?)\r\n\r\n(.*)$/s.exec(printed) ?? [];
  const [status = '', ...headers] = head.split('\r\n');
  return {
    status: Number(status.split(' ')[1]),
    headers: headers.map((line) => {
      const [name = '', ...value] = line.split(': ');
      return [name, value.join(': ')];
    }),
    text,
    ms: 0,
  };
}

describe.each(platforms)('$title', ({ scenarios }) => {
  test.each(scenarios)('$id $title', async (row) => {
    const requestId = `curl-${row.id}`;
    const { send, expect: expected } = bind(row, { ...bound, 'request.id': requestId });
    const sent = outgoingOf(backend.url, send, { 'X-Request-Id': requestId });
    const line = curlOf(sent, secrets);

    expect(createRedaction(secrets)({ curl: line })).toEqual({ curl: line });
    expect(differences(expected, replyIn(await bash(line)))).toEqual([]);
  });
});

describe('the line', () => {
  const given: readonly Secret[] = [
    { variable: 'KEY', value: 'the-key' },
    { variable: 'SECRET', value: 'the+secret/&' },
    { variable: 'LONGER', value: 'the-key-and-more' },
  ];
  const request = (rest: Partial<Outgoing>): Outgoing => ({
    method: 'GET',
    url: 'http://x.example/',
    headers: { accept: 'a', 'user-agent': 'b' },
    ...rest,
  });
  const pair = Buffer.from('the-key:the+secret/&').toString('base64');

  test.each<[situation: string, sent: Partial<Outgoing>, line: string]>([
    [
      'GET, with what curl would add taken away',
      { headers: {} },
      "curl -sS -i -H 'Accept:' -H 'User-Agent:' 'http://x.example/'",
    ],
    [
      'the Host that curl sends by itself',
      { headers: { Host: 'x.example' } },
      "curl -sS -i -H 'Accept:' -H 'User-Agent:' 'http://x.example/'",
    ],
    [
      'a secret in the query',
      { url: 'http://x.example/?a=b&token=the-key' },
      "curl -sS -i -H 'accept: a' -H 'user-agent: b' \"http://x.example/?a=b&token=$KEY\"",
    ],
    [
      'the longer one of two secrets, one of which is in the other',
      { url: 'http://x.example/?token=the-key-and-more' },
      "curl -sS -i -H 'accept: a' -H 'user-agent: b' \"http://x.example/?token=$LONGER\"",
    ],
    [
      'a secret that has to be encoded in the query',
      { url: 'http://x.example/?a=b&token=the%2Bsecret%2F%26&c=d' },
      "curl -sS -i -H 'accept: a' -H 'user-agent: b' --url-query \"token=$SECRET\" 'http://x.example/?a=b&c=d'",
    ],
    [
      'a secret that has to be encoded in a form',
      {
        method: 'POST',
        headers: {
          accept: '*/*',
          'user-agent': 'b',
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'a=b&token=the%2Bsecret%2F%26',
      },
      "curl -sS -i -H 'accept: */*' -H 'user-agent: b' -H 'content-type: application/x-www-form-urlencoded' --data-raw 'a=b' --data-urlencode \"token=$SECRET\" 'http://x.example/'",
    ],
    [
      'an API key and secret',
      { headers: { accept: 'a', 'user-agent': 'b', Authorization: `Basic ${pair}` } },
      "curl -sS -i -H 'accept: a' -H 'user-agent: b' -u \"$KEY:$SECRET\" 'http://x.example/'",
    ],
    [
      'the scheme in another case, which curl cannot say',
      { headers: { accept: 'a', 'user-agent': 'b', Authorization: `basic ${pair}` } },
      "curl -sS -i -H 'accept: a' -H 'user-agent: b' -H \"Authorization: basic $(printf %s \"$KEY:$SECRET\" | base64 | tr -d '\\n')\" 'http://x.example/'",
    ],
    [
      'HEAD',
      { method: 'HEAD' },
      "curl -sS -I -H 'accept: a' -H 'user-agent: b' 'http://x.example/'",
    ],
    [
      'JSON with a secret and an apostrophe, without a Content-Type',
      { method: 'PUT', body: '{"name":"D\'Arcy","token":"the-key"}' },
      `curl -sS -i -X 'PUT' -H 'accept: a' -H 'user-agent: b' -H 'Content-Type:' --data-raw '{"name":"D'\\''Arcy","token":"'"$KEY"'"}' 'http://x.example/'`,
    ],
    [
      'a header without a value, and one that would be expanded',
      { headers: { accept: '', 'user-agent': '$HOME `id` !!' } },
      "curl -sS -i -H 'accept;' -H 'user-agent: $HOME `id` !!' 'http://x.example/'",
    ],
  ])('%s', (_, sent, line) => {
    expect(curlOf(request(sent), given)).toBe(line);
  });

  test('a body that begins with @, has line ends and letters beyond ASCII, as the server gets it', async () => {
    const body = '@/etc/hosts\nline "two" \\ $HOME `id` !! \'æøå\' 🫐\r\n\tend';
    const line = curlOf(request({ method: 'POST', body }), []);
    const printing = line.replace(/^curl /, 'curl() { printf "%s\\0" "$@"; }; curl ');

    expect((await bash(printing)).split('\0')).toContain(body);
  });
});
