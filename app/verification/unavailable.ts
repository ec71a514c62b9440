/**
 * A fault that will pass: something we need is away, or there is too much to do. Becomes 503 with `Retry-After`; any other
 * thrown error is a bug, and becomes 500. Never a refusal. `message` is for the log only.
 */
export class Unavailable extends Error {
  /** Seconds. */
  readonly retryAfter: number;

  constructor(message: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'Unavailable';
    this.retryAfter = options.retryAfter ?? 1;
  }
}
