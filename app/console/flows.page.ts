import type { z } from 'zod';
import { isSecret } from '../config.ts';
import { type Answer, redirect } from '../http/answer.ts';
import { createPresets, type Preset } from '../oauth/sign-in.ts';
import type { PlayedPlatform } from '../scenarios/platforms-server.ts';
import { variableOf } from '../scenarios/simulator.ts';
import {
  type Asked,
  bring,
  createRuns,
  createStages,
  issuesTokens,
  keepExchange,
  type Playable,
  playable,
  seeded,
  variantsOf,
  watched,
} from './flows.ts';
import { runRow, shownRun } from './flows-shown.ts';
import { base, type House, type Page, type Section, type Visit } from './page.ts';

/** The vendor's dashboard as it is set here. */
function shownSettings({ simulator }: Playable, { settings }: PlayedPlatform) {
  return Object.entries(simulator.settings.shape).map(([name, one]) => {
    const setting = one as z.ZodType;
    const value = settings[name];
    return {
      name,
      value: isSecret(setting)
        ? undefined
        : typeof value === 'string'
          ? value
          : JSON.stringify(value, undefined, 1),
      what: setting.description ?? '',
      variable: variableOf(setting),
    };
  });
}

/** Longest login that is taken from a form; no user has a longer one. */
const longestLogin = 255;

/** A form's, or that of a link: what is not known is as on any other day. */
function askedOf(house: House, { simulator }: Playable, given: Visit['form']): Asked {
  const { user = '', login = '', variant = '', password = '', token = '' } = given;
  const variants = variantsOf(house, simulator.begins);
  const known = variants.find(({ name }) => name === variant) ?? variants[0];
  return {
    login: (user || login.trim()).slice(0, longestLogin),
    variant: known?.name ?? 'none',
    password,
    token: token.trim(),
  };
}

function flowPages(house: House): Page[] {
  const { services, config, calls } = house;
  const all = playable(house.platforms);
  const stages = createStages();
  const runs = createRuns();
  const presets: () => Promise<readonly Preset[]> = config.production
    ? async () => []
    : createPresets(services.database, services.passwords, services.users.findUser);

  const withPlatform =
    (handle: (one: Playable, visit: Visit) => Answer | Promise<Answer>) =>
    (visit: Visit): Answer | Promise<Answer> => {
      const one = all.find(({ platform }) => platform.id === visit.params['platform']);
      return one ? handle(one, visit) : visit.render('not-found', {}, { status: 404 });
    };

  const links = (current?: Playable) =>
    all.map((one) => ({
      id: one.platform.id,
      title: one.platform.title,
      href: `${base}/flows/${one.platform.id}`,
      begins: one.simulator.begins,
      current: one === current,
    }));

  async function choose(one: Playable, visit: Visit, asked: Asked, problem?: string) {
    const { platform, simulator } = one;
    const known = await presets();
    // A token is issued without a password.
    const users =
      simulator.begins.with === 'password' || config.production ? known : await seeded(house);
    const stage = stages.of(one, visit.request.socket);
    const it = {
      platform,
      begins: simulator.begins,
      links: links(one),
      users,
      variants: variantsOf(house, simulator.begins),
      ownTokens: issuesTokens(house),
      login: asked.login,
      typedLogin: users.some(({ login }) => login === asked.login) ? '' : asked.login,
      variant: asked.variant,
      problem,
      settings: shownSettings(one, stage),
      runs: runs
        .all()
        .filter((run) => run.platform.id === platform.id)
        .slice(0, 6)
        .map(runRow),
    };
    return visit.render('flow', it, problem === undefined ? {} : { status: 422 });
  }

  async function play(one: Playable, visit: Visit): Promise<Answer> {
    const { platform, simulator } = one;
    const asked = askedOf(house, one, visit.form);
    if (asked.login === '') return choose(one, visit, asked, 'Say whose flow it is.');
    const users = await presets();
    const found = await services.users.findUserByLogin(asked.login);
    await visit.audit('console.flow', `platform:${platform.id}`, {
      // What was typed is only repeated when it is a login: it might be a password.
      user: found?.user.login ?? '(unknown)',
      with: asked.variant,
    });
    const brought = await bring(house, simulator.begins, asked, users, visit.actor);
    if ('problem' in brought) return choose(one, visit, asked, brought.problem);

    const { visitor, given } = brought;
    const stage = stages.of(one, visit.request.socket);
    const { flow, callOf, becauseOf } = await watched(calls, () => stage.simulator.play(visitor));
    const run = runs.add({
      at: services.now(),
      platform: { id: platform.id, title: platform.title },
      login: asked.login,
      variant: asked.variant,
      typed: asked.variant === 'typed' || asked.password !== '',
      given,
      exchanges: flow.exchanges.map((one) =>
        keepExchange(one, callOf(one), visitor.token, becauseOf(one)),
      ),
      accepted: flow.accepted,
      outcome: flow.outcome,
    });
    const steps = visit.form['steps'] === undefined ? '' : '?steps';
    return redirect(`${base}/flows/${platform.id}/runs/${run.id}${steps}`);
  }

  return [
    {
      path: '/flows',
      get: (visit) =>
        visit.render('flows', { links: links(), runs: runs.all().slice(0, 10).map(runRow) }),
    },
    {
      path: '/flows/:platform',
      get: withPlatform((one, visit) => choose(one, visit, askedOf(house, one, visit.query))),
      post: withPlatform(play),
    },
    {
      path: '/flows/:platform/reset',
      post: withPlatform(async ({ platform: { id } }, visit) => {
        await visit.audit('console.reset', `platform:${id}`);
        stages.reset(id);
        return redirect(`${base}/flows/${id}?done=platform-reset`);
      }),
    },
    {
      path: '/flows/:platform/runs/:id',
      get: withPlatform((one, visit) => {
        const { id = '' } = visit.params;
        const run = /^\d{1,15}$/.test(id) ? runs.find(one.platform.id, Number(id)) : undefined;
        if (!run) return visit.render('flow-gone', { links: links(one) }, { status: 404 });
        return visit.render('flow-run', {
          platform: one.platform,
          run: shownRun(run, variantsOf(house, one.simulator.begins)),
          steps: visit.query['steps'] !== undefined,
        });
      }),
    },
  ];
}

/** `/console/flows`: what a platform and its App do with a user, step by step. */
export const flowsSection: Section = {
  title: 'Flows',
  path: '/flows',
  icon: 'flow',
  pages: flowPages,
};
