/** What a page of the console is, and what it is given. How to add one: console.ts. */
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import type { Config, ConfiguredPlatform } from '../config.ts';
import type { Lifecycle } from '../health.ts';
import type { Answer } from '../http/answer.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { ThrowAwayBackend } from '../scenarios/throw-away-backend.ts';
import type { Services } from '../services.ts';
import type { Detail } from '../store/audit.ts';
import type { User } from '../verification/verdict.ts';
import type { CallLog } from './calls.ts';
import type { Chaos } from './chaos.ts';

/** A platform with what answers it here. */
export type AnsweredPlatform = ConfiguredPlatform & { readonly endpoints: readonly Endpoint[] };

/** What the pages show, and act on. */
export type House = {
  readonly config: Config;
  /** How the world reaches this server, without a trailing slash. */
  readonly issuer: string;
  readonly services: Services;
  /** Those that are answered, with their settings and endpoints. */
  readonly platforms: readonly AnsweredPlatform[];
  readonly calls: CallLog;
  readonly chaos: Chaos;
  readonly lifecycle: Lifecycle;
  readonly log: Logger;
  /** Another backend in this process, with a database of its own, to play the suite on. Undefined: it is not played here. */
  readonly startBackend: (() => Promise<ThrowAwayBackend>) | undefined;
};

type RenderOptions = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
};

/** One request of somebody who may be here. */
export type Visit = {
  readonly request: Request;
  readonly response: Response;
  /** What the path's `:name` stand for. */
  readonly params: Readonly<Record<string, string>>;
  /** One that occurs twice is not there. */
  readonly query: Readonly<Record<string, string>>;
  /** The fields of a POST's form, which was one of ours. One that occurs twice is not there. */
  readonly form: Readonly<Record<string, string>>;
  readonly user: User | undefined;
  /** Who acts, for the audit trail: `user:<login>`, or `console` when nobody is signed in on this machine. */
  readonly actor: string;
  /** For what the audit trail must have: every action of a POST. `action` is `console.<verb>`; no secrets. */
  readonly audit: (action: `console.${string}`, target: string, detail?: Detail) => Promise<void>;
  /**
   * A view of app/console/views, which is given `csrf`, `csrfField` and `chrome` besides: a whole page, or for
   * assets/fragment.js a part of one, when it has no layout.
   */
  readonly render: (view: string, it: object, options?: RenderOptions) => Answer;
};

/** Undefined: it has taken the response over, for events. */
export type Handle = (visit: Visit) => Answer | undefined | Promise<Answer | undefined>;

export type Page = {
  /** From `/console` on, as Express writes it: `/calls/:id`. */
  readonly path: `/${string}`;
  readonly get?: Handle;
  /**
   * Only called for a form of ours, sent from a page of ours. Ends with `redirect()`: nothing is done twice by reloading. What is
   * to be seen once, and kept nowhere, is in the answer itself; so is a form with what is wrong in it, with 422.
   */
  readonly post?: Handle;
};

/** A line of the navigation, and the pages behind it. */
export type Section = {
  readonly title: string;
  /** Where the line leads: the path of one of the pages. */
  readonly path: `/${string}`;
  /** One of views/icon.eta. */
  readonly icon: string;
  readonly pages: (house: House) => readonly Page[];
};

/** Where the console is mounted. Links in views begin with it: `<%= it.chrome.base %>/log`. */
export const base = '/console';
