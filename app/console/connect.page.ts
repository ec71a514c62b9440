import type { Answer } from '../http/answer.ts';
import { createPresets, type Preset } from '../oauth/sign-in.ts';
import type { ConnectCard, Pasted } from '../platforms/platform.ts';
import { type Check, reachProblem, selfCheck } from './connect.ts';
import { type Playable, playable } from './flows.ts';
import {
  type AnsweredPlatform,
  base,
  type House,
  type Page,
  type Section,
  type Visit,
} from './page.ts';
import { headerText, partsOf, shownBody } from './shown-call.ts';

type Connectable = AnsweredPlatform & { readonly card: ConnectCard };

/** One that was asked for just now; it is in this answer, and in no other. */
type Revealed = { readonly setting: string; readonly value: string };

const secretsOf = ({ places }: ConnectCard): string[] =>
  places.flatMap(({ values }) => values.flatMap((one) => ('secret' in one ? [one.secret] : [])));

/** In the order of the page; each with an id to be copied by. */
function shownPlaces({ places }: ConnectCard, revealed: Revealed | undefined) {
  let id = 0;
  const shown = (pasted: Pasted) => {
    id += 1;
    const isSecret = 'secret' in pasted;
    return {
      id: `value-${id}`,
      label: pasted.label,
      note: pasted.note,
      setting: isSecret ? pasted.secret : undefined,
      value: isSecret
        ? revealed?.setting === pasted.secret
          ? revealed.value
          : undefined
        : pasted.value,
    };
  };
  return places.map(({ where, values }) => ({ where, values: values.map(shown) }));
}

const asText = (found: unknown) => (found === undefined ? undefined : JSON.stringify(found));

function shownCheck(check: Check | undefined) {
  if (!check || 'problem' in check) return check;
  const { accepted, outcome, exchanges, resolved } = check;
  return {
    accepted,
    outcome,
    resolved: resolved.map(({ name, from, found }) => ({ name, from, found: asText(found) })),
    exchanges: exchanges.map(({ request, reply, problem, concluded, hidden }) => ({
      title: partsOf(`${request.method} ${request.url.replace(/^\w+:\/\/[^/?#]*/, '')}`, hidden),
      line: partsOf(`${request.method} ${request.url}`, hidden),
      headers: partsOf(headerText(request.headers), hidden),
      request: shownBody(request.body, hidden),
      status: reply?.status,
      ms: reply && Math.round(reply.ms),
      reply: reply && shownBody(reply.body, hidden),
      says: problem ?? concluded,
    })),
  };
}

function connectPages(house: House): Page[] {
  const { config, issuer, services } = house;
  const all = house.platforms.flatMap((one): Connectable[] => {
    const card = one.platform.connect?.(one.settings, issuer);
    return card ? [{ ...one, card }] : [];
  });
  const played = playable(house.platforms);
  const presets: () => Promise<readonly Preset[]> = config.production
    ? async () => []
    : createPresets(services.database, services.passwords, services.users.findUser);

  const playableOf = ({ platform }: Connectable): Playable | undefined =>
    played.find((one) => one.platform.id === platform.id);

  const about = (visit: Visit) => ({
    issuer,
    isSet: config.BASE_URL !== undefined,
    reach: reachProblem(issuer),
    port: visit.request.socket.localPort,
    links: all.map(({ platform: { id, title }, card }) => ({
      ...{ id, title },
      href: `${base}/connect/${id}`,
      where: card.places[0]?.where ?? '',
      current: visit.params['platform'] === id,
    })),
  });

  type Extras = { readonly revealed?: Revealed; readonly check?: Check; readonly status?: number };

  async function show(
    visit: Visit,
    one: Connectable,
    { revealed, check, status = 200 }: Extras = {},
  ) {
    const begins = playableOf(one)?.simulator.begins;
    const known = await presets();
    const first = known.find(({ suspended }) => !suspended)?.login ?? '';
    const it = {
      ...about(visit),
      platform: one.platform,
      places: shownPlaces(one.card, revealed),
      notes: one.card.notes,
      revealed: revealed?.setting,
      begins,
      ownTokens: config.TOKEN_SOURCE === 'local',
      known: known.map(({ login }) => login),
      login: visit.form['login'] ?? first,
      check: shownCheck(check),
    };
    return visit.render('connect-platform', it, { status });
  }

  const withCard =
    (handle: (visit: Visit, one: Connectable) => Promise<Answer>) =>
    async (visit: Visit): Promise<Answer> => {
      const one = all.find(({ platform }) => platform.id === visit.params['platform']);
      return one ? handle(visit, one) : visit.render('not-found', {}, { status: 404 });
    };

  return [
    { path: '/connect', get: (visit) => visit.render('connect', about(visit)) },
    { path: '/connect/:platform', get: withCard((visit, one) => show(visit, one)) },
    {
      path: '/connect/:platform/secret',
      // Answers with the page itself: a secret that is to be shown after a redirect would have to be kept for it.
      post: withCard(async (visit, one) => {
        const { setting = '' } = visit.form;
        if (!secretsOf(one.card).includes(setting)) return show(visit, one, { status: 422 });
        await visit.audit('console.reveal', `platform:${one.platform.id}`, { setting });
        const value = String(one.settings[setting]);
        return show(visit, one, { revealed: { setting, value } });
      }),
    },
    {
      path: '/connect/:platform/check',
      // Answers with the page itself, too: what came back is of a user, and is not kept.
      post: withCard(async (visit, one) => {
        const playing = playableOf(one);
        if (!playing) return show(visit, one, { status: 422 });
        const { login = '', password = '', token = '' } = visit.form;
        const asked = { login: login.trim().slice(0, 255), password, token: token.trim() };
        await visit.audit('console.check', `platform:${one.platform.id}`);
        const check = await selfCheck(house, playing, asked, await presets(), visit.actor);
        return show(visit, one, { check });
      }),
    },
  ];
}

/** `/console/connect`: what to paste into the vendors' dashboards, and whether it works. */
export const connectSection: Section = {
  title: 'Connect',
  path: '/connect',
  icon: 'connect',
  pages: connectPages,
};
