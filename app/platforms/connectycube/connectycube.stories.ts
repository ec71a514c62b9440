import { STATUS_CODES } from 'node:http';
import type { Flow } from '../../scenarios/exchange.ts';
import { isObject, jsonIn } from '../../scenarios/json.ts';
import { answerIn, personOf, type Stage, type Story, Unplayable } from '../../scenarios/story.ts';
import { type ConnectyCubeSettings, createConnectyCube } from './connectycube.simulator.ts';

const guide =
  'External authentication via Custom Identity Provider, https://developers.connectycube.com/guides/custom-identity-provider';

const failure = (problem: string) => ({ errors: { base: [problem] } });

/** How a refusal is told, in the words of the backend at hand; 2xx is none. */
function refusalIn({ exchanges }: Flow) {
  const reply = exchanges.findLast(({ to }) => to === 'Backend')?.reply;
  if (!reply || reply.status < 300) return failure('the backend refuses');
  const answer = jsonIn(reply.text);
  const words = (isObject(answer) && answer['error']) || STATUS_CODES[reply.status];
  return failure(
    `Custom Identity Provider responded with an error = "${words}". Status code = ${reply.status}`,
  );
}

/** An application without users, and logins to it by name of the token. */
function application(stage: Stage, settings: ConnectyCubeSettings = {}) {
  const connectycube = createConnectyCube(
    stage.backend,
    { ...stage.settings, ...settings },
    stage.options,
  );
  const loginWith = async (name: string) => {
    const visitor = { login: name, token: stage.bindings[name] ?? '' };
    return stage.show(await connectycube.play(visitor));
  };
  return {
    login: (login: string) => loginWith(`token.${login}`),
    loginWith,
    /** Makes a user in the ordinary way: with a login, and a password at ConnectyCube. */
    signUp(login: string) {
      const opened = connectycube.createSession();
      const token = 'session' in opened.body ? opened.body.session.token : '';
      connectycube.createUser(token, { login, password: 'made in the ordinary way' });
    },
  };
}

/** What ConnectyCube can know of a user, and which fact of the person that is. */
const fields = {
  login: 'login',
  full_name: 'name',
  email: 'email',
  external_user_id: 'uid',
} as const;

type Field = keyof typeof fields;

/** The user that ConnectyCube made; undefined: it refused the login. */
function userIn(flow: Flow): Readonly<Record<Field | 'id', unknown>> | undefined {
  const { user } = Object(answerIn(flow)) as { user?: Record<Field | 'id', unknown> };
  return user;
}

/**
 * Checks that ConnectyCube knows this person as its user with this id, the moments aside. Only the uid is required: what a
 * foreign backend does not tell, or its dashboard does not map, is not looked at.
 */
function checkUser(stage: Stage, what: string, flow: Flow, id: number, login: string) {
  const user = userIn(flow);
  const person = personOf(stage, login);
  const names = (Object.keys(fields) as Field[]).filter(
    (name) => stage.own || (user?.[name] ?? null) !== null,
  );
  const picked = user && Object.fromEntries(names.map((name) => [name, user[name]]));
  stage.check(what, picked ? { id: user.id, ...picked } : answerIn(flow), {
    id,
    ...Object.fromEntries(names.map((name) => [name, person[fields[name]]])),
  });
}

/** "Allow reuse" is about an equal login: without one, there is nothing to see. */
async function expectLogin(stage: Stage) {
  if (stage.own) return;
  const user = userIn(await application(stage).login('simon371'));
  if (user && user.login === null) {
    throw new Unplayable('there is no login in the answer, or Response params do not map it');
  }
}

const signInNeeds = ['token.simon371', 'token.test1'];

export const stories: readonly Story[] = [
  {
    id: 'connectycube-story-01',
    title: 'the first and the second login of one user, and the first of another',
    requirement:
      'A ConnectyCube user is created at the first login; later logins are of the same user.',
    mark: 'documented',
    source: `${guide}, step 5`,
    needs: signInNeeds,
    async play(stage) {
      const { login } = application(stage);
      const first = await login('simon371');
      checkUser(stage, 'the first login creates the user', first, 1, 'simon371');
      const second = await login('simon371');
      checkUser(stage, 'the second is of the same user', second, 1, 'simon371');
      const other = await login('test1');
      checkUser(stage, 'another token creates another user', other, 2, 'test1');
    },
  },
  {
    id: 'connectycube-story-02',
    title: 'a user with the same login is there already; Allow reuse is off',
    requirement: 'Users made in the ordinary way are not taken over unless "Allow reuse" is on.',
    mark: 'documented',
    source: `${guide}, Setup`,
    needs: signInNeeds,
    async play(stage) {
      await expectLogin(stage);
      const { login, signUp } = application(stage);
      signUp(personOf(stage, 'simon371').login);
      const flow = await login('simon371');
      stage.check('the login is a conflict', answerIn(flow), {
        errors: { login: ['has already been taken'] },
      });
      const other = await login('test1');
      checkUser(stage, 'nobody else is kept out', other, 2, 'test1');
    },
  },
  {
    id: 'connectycube-story-03',
    title: 'a user with the same login is there already; Allow reuse is on',
    requirement:
      'With "Allow reuse", the user with the same login is updated, and logs in from then on.',
    mark: 'documented',
    source: `${guide}, Setup`,
    needs: signInNeeds,
    async play(stage) {
      await expectLogin(stage);
      const { login, signUp } = application(stage, { allowReuse: true });
      signUp(personOf(stage, 'simon371').login);
      const merged = await login('simon371');
      checkUser(stage, 'he is the user that was there', merged, 1, 'simon371');
      const other = await login('test1');
      checkUser(stage, 'who has another login is a new user', other, 2, 'test1');
    },
  },
  {
    id: 'connectycube-story-04',
    title: 'Response params name a path that the answer does not have',
    requirement:
      'Without a uid the login fails; a refusal is still told in the words of the backend.',
    mark: 'reported',
    source: 'https://github.com/ConnectyCube/custom-idp-starter-kit/issues',
    needs: ['token.simon371', 'token:never-issued'],
    async play(stage) {
      const { login, loginWith } = application(stage, {
        responseParams: { uid: '#{users.0.uid}' },
      });
      const good = await login('simon371');
      const required = failure('Custom Identity Provider uid is required');
      stage.check('with a good token the app is told', answerIn(good), required);
      const bad = await loginWith('token:never-issued');
      stage.check('with a bad one the app is told', answerIn(bad), refusalIn(bad));
    },
  },
  {
    id: 'connectycube-story-05',
    title: 'a token that was never issued, and one of a suspended user',
    requirement: "The backend's error reaches the app.",
    mark: 'reported',
    source: 'https://github.com/ConnectyCube/custom-idp-starter-kit/issues',
    needs: ['token:never-issued', 'token.test4'],
    async play(stage) {
      const { login, loginWith } = application(stage);
      const unknown = await loginWith('token:never-issued');
      stage.check('with the unknown token the app is told', answerIn(unknown), refusalIn(unknown));
      const suspended = await login('test4');
      stage.check(
        'with that of a suspended user the app is told',
        answerIn(suspended),
        refusalIn(suspended),
      );
      // That nobody learns who is suspended is our choice.
      if (stage.own) {
        stage.check('it is the same for both', answerIn(suspended), answerIn(unknown));
      }
    },
  },
];
