import { personOf, type Stage, type Story } from '../../scenarios/story.ts';
import {
  type AuroraEntity,
  type AuroraSettings,
  type AuroraUser,
  createAurora,
  sortingLetter,
} from './aurora.simulator.ts';

const docs =
  'https://github.com/janfrodej/Aurora, server/lib/Authenticator/OAuthAccessToken.pm, validate()';

/** An AURORA that asks this backend. `logIn` plays a login, shows it, and hands back what it came to. */
function begin(stage: Stage, settings: AuroraSettings = {}) {
  const { backend, bindings, options, show } = stage;
  const aurora = createAurora(backend, { ...stage.settings, ...settings }, options);
  const tokenOf = (login: string) => String(bindings[`token.${login}`]);
  return {
    aurora,
    async logIn(login: string) {
      const { accepted, outcome } = show(await aurora.play({ login, token: tokenOf(login) }));
      return accepted ? outcome : outcome.replace(/^AURORA refuses the login: /, '');
    },
    /** How often the backend was asked in a login. */
    async requests(login: string) {
      const { exchanges } = show(await aurora.play({ login, token: tokenOf(login) }));
      return exchanges.filter(({ to }) => to === 'Backend').length;
    },
    entity: (id: number): AuroraEntity | undefined =>
      aurora.entities().find((one) => one.id === id),
  };
}

const inAs = (id: number) => `AURORA lets the user in: entity ${id}`;
const noUser = 'no user matches';
const refused = 'the answer names no audience';

/** Somebody of the cast as AURORA has him, without the user name, which every backend makes in its own way. */
function userOf(stage: Stage, login: string): Pick<AuroraUser, 'email' | 'fullname'> {
  const { name, email } = personOf(stage, login);
  return { email, fullname: name };
}

/** What is looked at of a user in the tree. */
const shown = (entity: AuroraEntity | undefined) =>
  entity?.type === 'USER'
    ? { parent: entity.parent, email: entity.email, fullname: entity.fullname }
    : entity;

/** The user name that this backend tells AURORA. */
async function userNameOf(stage: Stage, login: string): Promise<string> {
  const { logIn, entity } = begin(stage, { createuser: 1 });
  await logIn(login);
  const created = entity(2);
  return String(created?.type === 'USER' ? created.oauthUser : undefined);
}

export const stories: readonly Story[] = [
  {
    id: 'aurora-story-01',
    title: 'a user whom AURORA has already',
    requirement:
      'Upon a match the entity id of the user is returned; a login asks twice when it succeeds, three times when it fails.',
    mark: 'seen',
    source: docs,
    needs: ['token.test1', 'token.test2'],
    async play(stage) {
      const { check } = stage;
      const { aurora, logIn, requests } = begin(stage, { createuser: 0 });
      const id = aurora.addUser(userOf(stage, 'test1'));
      check('test1 is let in as his entity', await logIn('test1'), inAs(id));
      check('test1 again, with the same token', await logIn('test1'), inAs(id));
      check('test2 is not found', await logIn('test2'), noUser);
      check('requests of a login that succeeds', await requests('test1'), 2);
      check('requests of one that fails', await requests('test2'), 3);
    },
  },
  {
    id: 'aurora-story-02',
    title: 'a user who is new to AURORA',
    requirement:
      'If the user is not found, he is created when createuser is 1, below userparent, as a member of usergroup.',
    mark: 'documented',
    source: docs,
    needs: ['token.test1', 'token.Åse.Bjørnå'],
    async play(stage) {
      const { check } = stage;
      const not = begin(stage, { createuser: 0 });
      check('createuser is 0: nobody is created', await not.logIn('test1'), noUser);
      check('the tree has its root alone', not.aurora.entities().length, 1);

      // Entity 1 is the root, 2 and 3 are the groups.
      const { aurora, logIn, entity } = begin(stage, {
        createuser: 1,
        userparent: 2,
        usergroup: 3,
      });
      aurora.addGroup('People');
      aurora.addGroup('Signed in with OAuth');
      check('createuser is 1: test1 is created', await logIn('test1'), inAs(4));
      check('and found the next time', await logIn('test1'), inAs(4));
      check('below userparent, with all that he has', shown(entity(4)), {
        parent: 2,
        ...userOf(stage, 'test1'),
      });
      check('a user with a name beyond ASCII', await logIn('Åse.Bjørnå'), inAs(5));
      check('has it whole', shown(entity(5)), { parent: 2, ...userOf(stage, 'Åse.Bjørnå') });
      check('both are members of usergroup', entity(3), {
        type: 'GROUP',
        id: 3,
        parent: 1,
        name: 'Signed in with OAuth',
        members: [4, 5],
      });
    },
  },
  {
    id: 'aurora-story-03',
    title: 'new users, sorted by the first letter of their names',
    requirement: 'createsorted places a created account below a group of the first letter.',
    mark: 'documented',
    source: docs,
    needs: ['token.test1', 'token.test2', 'token.Åse.Bjørnå', 'token.simon371'],
    async play(stage) {
      const { check } = stage;
      const { aurora, logIn } = begin(stage, { createuser: 1, createsorted: 1 });
      const people = ['test1', 'test2', 'Åse.Bjørnå', 'simon371'].map((login) => ({
        login,
        letter: sortingLetter(personOf(stage, login).name),
      }));
      const letters = [...new Set(people.map(({ letter }) => letter))];
      const [there] = letters;
      const id = aurora.addGroup(String(there));
      for (const { login } of people) await logIn(login);
      const groups = aurora.entities().filter((one) => one.type === 'GROUP');
      const users = aurora.entities().filter((one) => one.type === 'USER');
      const nameOf = (parent: number) => groups.find((group) => group.id === parent)?.name;
      check(
        'who is where',
        users.map(({ fullname, parent }) => [fullname, nameOf(parent)]),
        people.map(({ login, letter }) => [personOf(stage, login).name, letter]),
      );
      check(`the group ${there} was there`, users[0]?.parent, id);
      check('groups', groups.map(({ name }) => name).toSorted(), ['ROOT', ...letters].toSorted());
    },
  },
  {
    id: 'aurora-story-04',
    title: 'domains that may sign in, and domains that may not',
    requirement:
      'All entries of domains are processed before the verdict; * is anything, ! is not allowed, none is all.',
    mark: 'documented',
    source: `${docs}; that a match of ! wins is our choice`,
    needs: ['token.test1'],
    async play(stage) {
      const { check } = stage;
      const log = async (domains: readonly string[]) =>
        (await begin(stage, { createuser: 1, domains: [...domains] }).logIn('test1')) === inAs(2);
      const { email } = personOf(stage, 'test1');
      const domain = email.slice(email.indexOf('@') + 1);
      check('none', await log([]), true);
      check('the very domain', await log([domain]), true);
      check('every domain below it', await log([`*.${domain}`]), false);
      check('every domain that ends like it', await log([`*${domain}`]), true);
      check('other domains, then it', await log(['a.invalid', '*.a.invalid', domain]), true);
      check('all but it', await log(['*', `!${domain}`]), false);
      check('not it, but all', await log([`!${domain}`, '*']), false);
      check('nothing but not another', await log([`!stud.${domain}`]), true);
    },
  },
  {
    id: 'aurora-story-05',
    title: 'a user whose e-mail address has changed, and one whose address is now of somebody else',
    requirement:
      'A user is found by e-mail or by OAuth user name; one found by e-mail who has another OAuth user name is a conflict.',
    mark: 'seen',
    source: docs,
    needs: ['token.test1', 'token.test2'],
    async play(stage) {
      const { check } = stage;
      const { aurora, logIn, entity } = begin(stage, { createuser: 1 });
      const oauthUser = await userNameOf(stage, 'test1');
      const test1 = userOf(stage, 'test1');
      const id = aurora.addUser({ ...test1, email: 'old@address.invalid', oauthUser });
      check('found by the user name', await logIn('test1'), inAs(id));
      check('and has the new address', shown(entity(id)), { parent: 1, ...test1 });

      const { email } = userOf(stage, 'test2');
      aurora.addUser({ email, fullname: 'Another', oauthUser: 'another@user.invalid' });
      check(
        'the address is of a user with another user name',
        await logIn('test2'),
        'conflict: the user with this e-mail address has another user name',
      );
    },
  },
  {
    id: 'aurora-story-06',
    title: 'users who are suspended here, although AURORA has them',
    requirement: 'A refusal of the backend is a failure, whatever AURORA knows of the user.',
    mark: 'seen',
    source: docs,
    needs: ['token.test4', 'token.in-suspended-group', 'token:expired', 'token:revoked'],
    async play(stage) {
      const { check, bindings } = stage;
      const { aurora, logIn, requests } = begin(stage, { createuser: 1 });
      check('suspended user', await logIn('test4'), refused);
      check('requests', await requests('test4'), 3);
      check('user of a suspended group', await logIn('in-suspended-group'), refused);
      for (const kind of ['expired', 'revoked']) {
        const { id, error } = await aurora.validate(String(bindings[`token:${kind}`]));
        check(`${kind} token`, { id, error }, { id: undefined, error: refused });
      }
      check('nobody was created', aurora.entities().length, 1);
    },
  },
  {
    id: 'aurora-story-07',
    title: 'a token that was issued to another client',
    requirement: 'The audience of the answer must be the one that is set.',
    mark: 'documented',
    source: docs,
    needs: ['token.test1'],
    async play(stage) {
      const { check } = stage;
      const set = begin(stage, { createuser: 1 });
      check('with the audience that is set, test1 is let in', await set.logIn('test1'), inAs(2));
      const { logIn } = begin(stage, { createuser: 1, audience: 'another-client' });
      check(
        'with another one he is not',
        await logIn('test1'),
        'the audience is not the one that is set',
      );
    },
  },
  {
    id: 'aurora-story-08',
    title: 'what no access token can be is not sent to the backend',
    requirement: 'generate() checks the characters, and cuts at 4096.',
    mark: 'documented',
    source: docs.replace('validate()', 'generate()'),
    needs: [],
    asksNobody: true,
    async play(stage) {
      const { show, check } = stage;
      const { aurora } = begin(stage);
      const { exchanges, accepted } = show(await aurora.play({ login: 'x', token: 'no token' }));
      check('refused', accepted, false);
      check('requests', exchanges.filter(({ to }) => to === 'Backend').length, 0);
      check('cut', aurora.generate('x'.repeat(5000)).token?.length, 4096);
    },
  },
  {
    id: 'aurora-story-09',
    title: 'with the limits of the released code',
    requirement:
      'The published code follows paths of two keys, knows no domains, and says 0 for every failure: our answer suits it.',
    mark: 'seen',
    source: docs,
    needs: ['token.test1', 'token.test4', 'token.Åse.Bjørnå'],
    async play(stage) {
      const { check, bindings } = stage;
      const { aurora, logIn, entity } = begin(stage, {
        createuser: 1,
        domains: ['!*'],
        released: true,
      });
      check('test1 is created, domains or not', await logIn('test1'), inAs(2));
      check('a name beyond ASCII', await logIn('Åse.Bjørnå'), inAs(3));
      check('arrives whole', shown(entity(3)), { parent: 1, ...userOf(stage, 'Åse.Bjørnå') });
      const suspended = await aurora.validate(String(bindings['token.test4']));
      check('a suspended user is 0', suspended, { id: 0, error: refused });
      const flat = begin(stage, { createuser: 1, released: true, namefield: ['audience'] });
      check(
        'a path of one key leads nowhere',
        await flat.logIn('test1'),
        'the user cannot be created without a name',
      );
    },
  },
];
