/** A backend that is not ours passes when it holds to what the vendors document; with one fault, a row names the fault. */
import {
  type Fault,
  faults,
  fixtureText,
  type Listening,
  listenWith,
  startBadBackend,
} from './bad-backends.ts';
import { foreign, idsOf, play, resultOf } from './playing.ts';

let backend: Listening;
afterEach(() => backend.close());

async function playOn(fault: Fault | undefined, ...ids: readonly string[]) {
  backend = await startBadBackend(fault);
  return play(foreign(backend.url, fixtureText), { ids });
}

describe('a backend of other people, paths and names', () => {
  test('passes what the vendors document', async () => {
    backend = await startBadBackend();
    const platforms = ['pango', 'connectycube', 'authlete', 'aurora'];
    const target = foreign(backend.url, fixtureText);
    const run = await play(target, { level: 'documented', platforms });

    expect(idsOf(run, 'failed')).toEqual([]);
    expect(run.exitCode).toBe(0);
    expect(idsOf(run, 'passed')).toEqual([
      ...['pango-01', 'pango-02', 'pango-03', 'pango-04', 'pango-05', 'pango-06'],
      ...['pango-story-01', 'pango-story-02', 'pango-story-03', 'pango-story-04'],
      ...['connectycube-01', 'connectycube-33', 'connectycube-34', 'connectycube-38'],
      ...['connectycube-40', 'connectycube-story-02'],
      ...['authlete-01', 'authlete-02', 'authlete-03', 'authlete-04', 'authlete-05'],
      ...['authlete-06', 'authlete-07', 'authlete-10', 'authlete-11', 'authlete-32'],
      ...['authlete-37', 'authlete-story-01', 'authlete-story-02', 'authlete-story-03'],
      ...['aurora-story-04', 'aurora-story-07'],
    ]);
    expect(run.warnings.map(({ text }) => text)).toEqual([
      'Pango: not checked at this level (documented): a request without a credential.',
      'ConnectyCube: not checked at this level (documented): an expired token, a revoked token, a suspended user, a user of a suspended group, a token for something else (its scope), a request without a credential, a request of another form than is documented.',
      'Authlete: not checked at this level (documented): a user without a group, a request without a credential, a request of another form than is documented.',
      'AURORA: not checked at this level (documented): a token for something else (its scope), a token or login that nobody knows, an expired token, a revoked token, a suspended user, a user of a suspended group, a token for another resource, a request without a credential, a request of another form than is documented.',
    ]);
  });

  test('passes what was seen of them, too, which leaves no refusal of a token unchecked', async () => {
    backend = await startBadBackend();
    const target = foreign(backend.url, fixtureText);
    const run = await play(target, { level: 'seen', platforms: ['pango', 'connectycube'] });

    expect(idsOf(run, 'failed')).toEqual([]);
    expect(idsOf(run, 'passed')).toEqual(
      expect.arrayContaining(['connectycube-03', 'connectycube-04', 'connectycube-05']),
    );
    expect(run.warnings.map(({ text }) => text)).toEqual([
      'Pango: not checked at this level (seen): a request without a credential.',
      'ConnectyCube: not checked at this level (seen): a request without a credential, a request of another form than is documented.',
    ]);
  });

  test('one that answers a uid and nothing else passes when its tester says so', async () => {
    const uidOnly = await listenWith((request, response) => {
      const good = request.url?.includes('tok-of-ann');
      response.writeHead(good ? 200 : 422, {
        'Content-Type': 'application/json',
        'Cache-Control': 'no-store',
      });
      response.end(good ? '{"uid":11}' : '{"error":"no"}');
    });
    const fixture = [
      'SCENARIO_TOKEN_SIMON371=tok-of-ann',
      'SCENARIO_SIMON371_UID=11',
      'SCENARIO_CONNECTYCUBE_ANSWERS=user.id=uid,user.login=none',
    ];
    const ids = ['connectycube-01', 'connectycube-03', 'connectycube-story-04'];
    const run = await play(foreign(uidOnly.url, fixture.join('\n')), { ids });
    await uidOnly.close();
    backend = await startBadBackend();

    expect(idsOf(run, 'passed')).toEqual(['connectycube-01', 'connectycube-03']);
    expect(resultOf(run, 'connectycube-story-04').reason).toMatch(
      /^needs SCENARIO_CONNECTYCUBE_DASHBOARD, because SCENARIO_CONNECTYCUBE_ANSWERS is set; e\.g\. '\{"apiUrl":"\/user\/verify",.*"requestParams":\{"token":"#\{login\}"\}/,
    );
  });

  test('passes what AURORA was seen to want', async () => {
    backend = await startBadBackend();
    const run = await play(foreign(backend.url, fixtureText), { platforms: ['aurora'] });

    expect(idsOf(run, 'failed')).toEqual([]);
    expect(idsOf(run, 'passed')).toEqual([
      ...['aurora-01', 'aurora-03', 'aurora-07', 'aurora-08', 'aurora-09', 'aurora-10'],
      ...['aurora-15', 'aurora-16', 'aurora-17', 'aurora-18', 'aurora-19', 'aurora-20'],
      ...['aurora-21', 'aurora-22', 'aurora-23', 'aurora-24', 'aurora-25', 'aurora-26'],
      ...['aurora-27', 'aurora-28'],
      ...['aurora-story-01', 'aurora-story-04', 'aurora-story-05', 'aurora-story-07'],
    ]);
  });

  test('is skipped where its tester said nothing, by name', async () => {
    const run = await playOn(
      undefined,
      'pango-07',
      'connectycube-story-01',
      'authlete-01',
      'authlete-61',
    );
    expect(run.results.map(({ id, status, reason }) => [id, status, reason])).toEqual([
      ['pango-07', 'skipped', 'needs SCENARIO_TOKEN_IN_SUSPENDED_GROUP'],
      ['connectycube-story-01', 'skipped', 'needs SCENARIO_SIMON371_NAME'],
      ['authlete-01', 'passed', undefined],
      ['authlete-61', 'skipped', 'not served there: SCENARIO_PATH_AUTHLETE_AUTHENTICATION is none'],
    ]);
  });
});

/** The rows that must notice. */
const noticed: Readonly<Record<Fault, readonly string[]>> = {
  'lets in whoever has some token': ['pango-03', 'connectycube-03', 'pango-story-04', 'aurora-07'],
  'makes a user up without a token': ['pango-10', 'connectycube-10'],
  'does not look at suspension': ['pango-06', 'connectycube-06', 'authlete-04', 'pango-story-03'],
  'does not look at expiry': ['pango-04', 'connectycube-04', 'aurora-08'],
  'does not look at revocation': ['pango-05', 'connectycube-05', 'aurora-09'],
  'believes the user_id of the request': ['connectycube-34', 'connectycube-38'],
  'says the uid as a string': ['pango-01', 'connectycube-01'],
  'calls its JSON a web page': ['pango-01', 'connectycube-01', 'authlete-01'],
  'shows a stack trace': ['pango-03', 'connectycube-03', 'authlete-05', 'aurora-07'],
  'repeats the token in its error': ['pango-03', 'connectycube-03'],
  'breaks on a token that it does not know': ['pango-03', 'connectycube-03'],
  'breaks on JSON that ends too early': ['authlete-51'],
  'lets answers be cached': ['pango-01', 'connectycube-01', 'authlete-01'],
  'asks no caller for his secret': ['authlete-39', 'authlete-41', 'authlete-story-03'],
  'looks at the secret of the caller, but not at his key': ['authlete-40'],
  'does not look at passwords': ['authlete-05', 'authlete-story-02'],
  'authenticates whatever the method': ['authlete-59'],
  'names the group as it likes': ['authlete-01', 'authlete-story-01'],
  'leaves the audience out': ['aurora-01', 'aurora-story-01'],
  'names the audience in a refusal': ['aurora-07'],
  'refuses everybody': ['pango-01', 'connectycube-01', 'authlete-01', 'aurora-01'],
};

describe('it is noticed that a backend', () => {
  test.each(faults)('%s', async (fault) => {
    const run = await playOn(fault, ...noticed[fault]);
    expect(idsOf(run, 'failed').toSorted()).toEqual([...noticed[fault]].toSorted());
    expect(run.exitCode).toBe(1);
  });

  test('does all of this right when it does', async () => {
    const all = [...new Set(Object.values(noticed).flat())];
    const run = await playOn(undefined, ...all);
    expect(idsOf(run, 'failed')).toEqual([]);
  });
});

describe('in plain words', () => {
  test('any token is answered 200 with a uid', async () => {
    const run = await playOn(
      'lets in whoever has some token',
      ...['connectycube-01', 'connectycube-03', 'connectycube-04', 'connectycube-05'],
      'connectycube-06',
    );
    expect(run.exitCode).toBe(1);
    expect(run.warnings).toEqual([
      {
        text: 'ConnectyCube: the same kind of answer as for a good credential is given for a token or login that nobody knows, an expired token, a revoked token and/or a suspended user. The backend does not look at this, or the fixture names the wrong ones.',
        ids: ['connectycube-03', 'connectycube-04', 'connectycube-05', 'connectycube-06'],
      },
    ]);
    const { differences, likelyCause } = resultOf(run, 'connectycube-03');
    expect(differences).toContainEqual({
      where: 'status',
      expected: '400 or 401 or 403 or 404 or 422',
      actual: 200,
    });
    expect(likelyCause).toBe(
      'A credential that nobody issued is answered like a good one: is it looked up at all?',
    );
  });

  test('an active and a suspended user get the same answer', async () => {
    const run = await playOn('does not look at suspension', 'pango-01', 'pango-03', 'pango-06');
    expect(run.warnings).toEqual([
      {
        text: 'Pango: the same kind of answer as for a good credential is given for a suspended user. The backend does not look at this, or the fixture names the wrong ones.',
        ids: ['pango-06'],
      },
    ]);
  });

  test('everything was refused, so that refusals mean nothing', async () => {
    const run = await playOn('refuses everybody', 'pango-01', 'pango-03', 'pango-06');
    expect(idsOf(run, 'passed')).toEqual(['pango-03', 'pango-06']);
    expect(run.warnings).toEqual([
      {
        text: 'Pango: everything was refused, good requests too. That 2 were refused as they should be means nothing.',
        ids: ['pango-03', 'pango-06'],
      },
    ]);
  });

  test('a token of the fixture is mistyped, and honestly refused', async () => {
    backend = await startBadBackend();
    const mistyped = fixtureText.replace('VPN_USER=tok-dan-b81e60', 'VPN_USER=tok-dan-b81e61');
    const ids = ['pango-01', 'pango-02', 'pango-03', 'pango-story-01'];
    const run = await play(foreign(backend.url, mistyped), { ids });
    expect(idsOf(run, 'failed')).toEqual(['pango-01', 'pango-story-01']);
    expect(resultOf(run, 'pango-01').likelyCause).toBe(
      'A good credential is refused: is that of the fixture still good, and do the clocks agree?',
    );
    expect(resultOf(run, 'pango-story-01').likelyCause).toBe(
      'Rows of this platform fail, too: begin with pango-01.',
    );
    const alone = await play(foreign(backend.url, mistyped), { ids: ['pango-story-01'] });
    expect(resultOf(alone, 'pango-story-01').likelyCause).toBe(
      'The backend refuses. If it should not: is that credential of the fixture still good, and do the clocks agree?',
    );
  });

  test('a password of the fixture is wrong, the key and secret of the caller are right', async () => {
    backend = await startBadBackend();
    const wrong = fixtureText.replace('the password of bob', 'the password of ann');
    const ids = ['authlete-01', 'authlete-02', 'authlete-story-01'];
    const run = await play(foreign(backend.url, wrong), { ids });
    expect(idsOf(run, 'failed')).toEqual(['authlete-01', 'authlete-story-01']);
    expect(resultOf(run, 'authlete-01').likelyCause).toBe(
      'A good credential is refused: is that of the fixture still good, and do the clocks agree?',
    );
  });

  test('a fact stands where the fixture does not say', async () => {
    backend = await startBadBackend();
    const unsaid = fixtureText.replace(/^SCENARIO_CONNECTYCUBE_ANSWERS=.*$/m, '');
    const run = await play(foreign(backend.url, unsaid), { ids: ['connectycube-01'] });
    expect(resultOf(run, 'connectycube-01').likelyCause).toBe(
      '11 stands at body.uid: SCENARIO_CONNECTYCUBE_ANSWERS=user.id=uid can say so, if the platform is set to look there.',
    );
  });

  test('the dashboard is set to look at another place than the answer has', async () => {
    backend = await startBadBackend();
    const otherwise = fixtureText.replace('"uid":"#{uid}"', '"uid":"#{user.id}"');
    const ids = ['connectycube-01', 'connectycube-story-02'];
    const run = await play(foreign(backend.url, otherwise), { ids });
    expect(idsOf(run, 'failed')).toEqual(['connectycube-story-02']);
    expect(resultOf(run, 'connectycube-story-02').likelyCause).toBe(
      'The backend does not refuse, but what the platform makes of it is: uid (#{user.id}) is not in the answer. What it looks at is set in its dashboard; SCENARIO_CONNECTYCUBE_DASHBOARD can say how yours is set.',
    );
  });

  test('a story in which a suspended user is let in', async () => {
    const run = await playOn('does not look at suspension', 'authlete-story-01');
    expect(resultOf(run, 'authlete-story-01').likelyCause).toBe('Who had to be refused is let in.');
  });

  test('a story on whose path there is nothing', async () => {
    backend = await startBadBackend();
    const elsewhere = fixtureText.replace('"endpoint":"/aurora/me"', '"endpoint":"/aurora/you"');
    const run = await play(foreign(backend.url, elsewhere), { ids: ['aurora-story-01'] });
    expect(resultOf(run, 'aurora-story-01').likelyCause).toMatch(/^Is there a prefix before this/);
  });

  test('a number is a string', async () => {
    const run = await playOn('says the uid as a string', 'pango-01');
    expect(resultOf(run, 'pango-01').differences).toEqual([
      { where: 'body.user.uid', expected: 12, actual: '12' },
    ]);
  });

  test('a secret is repeated, and the report does not repeat it', async () => {
    const run = await playOn('repeats the token in its error', 'pango-04', 'authlete-05');
    expect(resultOf(run, 'pango-04').differences).toContainEqual(
      expect.objectContaining({ where: 'body', expected: 'nothing of the token that was sent' }),
    );
    const report = JSON.stringify(run);
    for (const value of ['tok-exp-4d11f0', 'the password of eve', 'secret-of-the-console']) {
      expect(report).not.toContain(value);
    }
  });
});
