import { personOf, type Stage, type Story } from '../../scenarios/story.ts';
import { type AuthleteSettings, createAuthlete } from './authlete.simulator.ts';

const accounts =
  'Enabling multiple accounts for Developer Console, https://kb.authlete.com/en/s/deployment/a/multiple-developer-accounts';
const needs = ['authlete.apiKey', 'authlete.apiSecret'];

/** A Developer Console without apps. */
function developerConsole(stage: Stage, settings: Partial<AuthleteSettings> = {}) {
  const { bindings, backend, options } = stage;
  const authlete = createAuthlete(
    backend,
    {
      developerAuthenticationCallbackApiKey: bindings['authlete.apiKey'] ?? '',
      developerAuthenticationCallbackApiSecret: bindings['authlete.apiSecret'] ?? '',
      ...stage.settings,
      ...settings,
    },
    options,
  );
  return {
    /** Logs in, with the right password unless another is given. */
    async login(login: string, password = personOf(stage, login).password) {
      const id = personOf(stage, login).login;
      const { flow, session = '' } = await authlete.play({ login: id, password });
      stage.show(flow);
      return {
        accepted: flow.accepted,
        subject: authlete.developer(session)?.subject,
        apps: () => authlete.apps(session).map(({ name }) => name),
        createApp: (name: string) => authlete.createApp(session, name),
        logout: () => authlete.logout(session),
      };
    },
  };
}

export const stories: readonly Story[] = [
  {
    id: 'authlete-story-01',
    title: "the vendor's tour: test1, test2, test3, test4",
    requirement:
      'Developers of one group see the same apps, those of another group do not; who is suspended is not let in.',
    mark: 'documented',
    source: `${accounts}, Examples`,
    needs,
    async play(stage) {
      const { login } = developerConsole(stage);

      const test1 = await login('test1');
      const { subject } = personOf(stage, 'test1');
      stage.check('test1 is let in as his group', test1.subject, subject);
      test1.createApp('Test Client 01');
      stage.check('test1 sees the app that he created', test1.apps(), ['Test Client 01']);
      test1.logout();
      stage.check('nothing is seen after log out', test1.apps(), []);

      const test2 = await login('test2');
      stage.check('test2 is let in as the same group', test2.subject, subject);
      stage.check('test2 sees the app of test1', test2.apps(), ['Test Client 01']);
      test2.logout();

      const test3 = await login('test3');
      const other = personOf(stage, 'test3').subject;
      stage.check('test3 is let in as another group', test3.subject, other);
      stage.check('test3 does not see the app of test1', test3.apps(), []);
      test3.logout();

      const test4 = await login('test4');
      stage.check('test4 is not let in', test4.accepted, false);
    },
  },
  {
    id: 'authlete-story-02',
    title: 'a wrong password, then the right one',
    requirement: 'The password is verified by the backend, at each login.',
    mark: 'documented',
    source: accounts,
    needs,
    async play(stage) {
      const { login } = developerConsole(stage);
      const wrong = await login('test1', 'not the password of test1');
      stage.check('the wrong password is denied', wrong.accepted, false);
      const right = await login('test1');
      stage.check('the right one is let in', right.subject, personOf(stage, 'test1').subject);
    },
  },
  {
    id: 'authlete-story-03',
    title: 'the console has another API secret than the backend',
    requirement: 'Without the right API key and secret nobody is let in.',
    mark: 'documented',
    source: `${accounts}, Authlete service settings`,
    needs,
    async play(stage) {
      const { login } = developerConsole(stage, {
        developerAuthenticationCallbackApiSecret: 'not the API secret',
      });
      const test1 = await login('test1');
      stage.check('test1 is not let in', test1.accepted, false);
    },
  },
];
