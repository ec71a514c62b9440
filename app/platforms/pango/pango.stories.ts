import { answerIn, personOf, type Stage, type Story } from '../../scenarios/story.ts';
import { createPango, type PangoSettings } from './pango.simulator.ts';

const requirements =
  'Auth Plugin requirements, https://pango.gitbook.io/paas/console-details/project-settings/user-authentification-methods/auth-plugin-requirements';
const refusal = { result: 'OAUTH_ERROR', error: 'failed login' };

/** A project without users, and logins to it by name of the token and of the device. */
function project(stage: Stage, settings: PangoSettings = {}) {
  const pango = createPango(stage.backend, { ...stage.settings, ...settings }, stage.options);
  const play = async (login: string, name: string, device: string) => {
    const token = stage.bindings[name] ?? '';
    return stage.show(await pango.play({ login, token }, device));
  };
  return {
    login: (login: string, device: string) => play(login, `token.${login}`, device),
    loginWith: (name: string) => play('somebody', name, 'phone'),
    /** Extref and devices of everybody who is registered. */
    registered: () => pango.users().map(({ Extref, devices }) => [Extref, devices]),
  };
}

const extref = (stage: Stage, login: string) => String(personOf(stage, login).uid);

export const stories: readonly Story[] = [
  {
    id: 'pango-story-01',
    title: 'logins of two users, and the same device again',
    requirement:
      'When the token verifies, the platform registers the user, by the uid on your side, and his device.',
    mark: 'documented',
    source: `${requirements}, step 7`,
    needs: ['token.vpn-user', 'token.test1'],
    async play(stage) {
      const { login, registered } = project(stage);
      const first = await login('vpn-user', 'phone');
      stage.check('the first login is accepted', first.accepted, true);
      const again = await login('vpn-user', 'phone');
      stage.check('the same token is good a second time', again.accepted, true);
      const other = await login('test1', 'tablet');
      stage.check('another user is accepted', other.accepted, true);
      stage.check('each user is registered once, with his device', registered(), [
        [extref(stage, 'vpn-user'), ['phone']],
        [extref(stage, 'test1'), ['tablet']],
      ]);
    },
  },
  {
    id: 'pango-story-02',
    title: 'a third device on a licence for two',
    requirement: 'The first number of the License is the device limit of the user.',
    mark: 'documented',
    source: 'User page of the Pango console; https://backend.northghost.com/doc/user/index.html',
    needs: ['token.vpn-user', 'token.test1'],
    async play(stage) {
      const { login, registered } = project(stage, { License: '2' });
      await login('vpn-user', 'phone');
      await login('vpn-user', 'laptop');
      const third = await login('vpn-user', 'television');
      stage.check('the third device is told', answerIn(third), {
        result: 'DEVICES_EXCEED',
        error: 'devices limit is exceeded',
      });
      const known = await login('vpn-user', 'phone');
      stage.check('the first device is still let in', known.accepted, true);
      const other = await login('test1', 'television');
      stage.check("another user's devices do not count", other.accepted, true);
      stage.check('two devices of the one, one of the other', registered(), [
        [extref(stage, 'vpn-user'), ['phone', 'laptop']],
        [extref(stage, 'test1'), ['television']],
      ]);
    },
  },
  {
    id: 'pango-story-03',
    title: 'a suspended user',
    requirement:
      'When the token does not verify, the platform returns an error, and registers nobody.',
    mark: 'documented',
    source: `${requirements}, step 7`,
    needs: ['token.test4'],
    async play(stage) {
      const { login, registered } = project(stage);
      const flow = await login('test4', 'phone');
      stage.check('the app is told', answerIn(flow), refusal);
      stage.check('nobody is registered', registered(), []);
    },
  },
  {
    id: 'pango-story-04',
    title: 'a token that was never issued',
    requirement:
      'When the token does not verify, the platform returns an error, and registers nobody.',
    mark: 'documented',
    source: `${requirements}, step 7`,
    needs: ['token:never-issued'],
    async play(stage) {
      const { loginWith, registered } = project(stage);
      const flow = await loginWith('token:never-issued');
      stage.check('the app is told', answerIn(flow), refusal);
      stage.check('nobody is registered', registered(), []);
    },
  },
  {
    id: 'pango-story-05',
    title: 'an expired token, and a revoked one',
    requirement: 'The app is told the same, whatever is wrong with the token.',
    mark: 'our choice',
    source: `${requirements}, step 6: "or any similar response"`,
    needs: ['token:expired', 'token:revoked'],
    async play(stage) {
      const { loginWith, registered } = project(stage);
      const expired = await loginWith('token:expired');
      stage.check('with the expired one the app is told', answerIn(expired), refusal);
      const revoked = await loginWith('token:revoked');
      stage.check('with the revoked one the app is told', answerIn(revoked), refusal);
      stage.check('nobody is registered', registered(), []);
    },
  },
];
