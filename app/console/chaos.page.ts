import { redirect } from '../http/answer.ts';
import { faultNames, faultText, isFault } from './chaos.ts';
import { base, type Section } from './page.ts';

/** `/console/chaos`: a fault for a platform's next call. */
export const chaosSection: Section = {
  title: 'Chaos',
  path: '/chaos',
  icon: 'chaos',
  pages: ({ platforms, chaos }) => {
    const known = (id: string | undefined) => platforms.some(({ platform }) => platform.id === id);
    return [
      {
        path: '/chaos',
        get(visit) {
          const armed = new Map(chaos.armed().map(({ platform, fault }) => [platform, fault]));
          return visit.render('chaos', {
            platforms: platforms.map(({ platform: { id, title } }) => ({
              id,
              title,
              armed: armed.get(id),
            })),
            faults: faultNames.map((name) => ({ name, what: faultText(name) })),
          });
        },
        async post(visit) {
          const { platform = '', fault } = visit.form;
          if (!known(platform) || !isFault(fault)) return redirect(`${base}/chaos`);
          await visit.audit('console.chaos', `platform:${platform}`, { fault });
          chaos.arm(platform, fault);
          // The banner says it.
          return redirect(`${base}/chaos`);
        },
      },
      { path: '/chaos/armed', get: (visit) => visit.render('armed', {}) },
      {
        path: '/chaos/disarm',
        async post(visit) {
          const { platform = '' } = visit.form;
          if (!known(platform)) return redirect(`${base}/chaos`);
          await visit.audit('console.chaos', `platform:${platform}`, { fault: null });
          chaos.disarm(platform);
          return redirect(`${base}/chaos?done=disarmed`);
        },
      },
    ];
  },
};
