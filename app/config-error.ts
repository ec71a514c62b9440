/** All that is wrong with the configuration, in one message. Names variables, never their values: one may be a secret. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(['The configuration is not usable:', ...problems.map((one) => `  - ${one}`)].join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Waits for all of it. @throws {ConfigError} with the problems of all; any other error goes before that */
export async function allUsable(work: readonly (Promise<unknown> | undefined)[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const errors = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  const problems = errors.flatMap((error) => {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  });
  if (problems.length > 0) throw new ConfigError(problems);
}
