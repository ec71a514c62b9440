/** All that is known, for programs. */
import { countsOf, type ReporterDefinition } from '../report.ts';

/** Goes up when a reader of it must change. */
const format = 1;

export const json: ReporterDefinition = {
  name: 'json',
  description: 'everything, for programs',
  file: 'results.json',
  create: () => ({
    end: (run) => `${JSON.stringify({ format, counts: countsOf(run.results), ...run }, null, 2)}\n`,
  }),
};
