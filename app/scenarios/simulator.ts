/**
 * A platform, played: its own API as an App calls it, calling a backend over real HTTP as the platform does. The functions
 * of a simulator are in `app/platforms/<id>/<id>.simulator.ts`, to be used from anybody's tests; this is what all have in
 * common, for `npm run platforms`, the console and the stories.
 */
import type { z } from 'zod';
import type { Endpoint } from '../http/endpoint.ts';
import type { AskOptions, Flow } from './exchange.ts';

/** A user at the App, with whatever the flow of this platform begins with. */
export type Visitor = {
  readonly login: string;
  readonly password?: string;
  /** One that the backend issued to the App. */
  readonly token?: string;
};

export type Simulator = {
  /** The vendor's own paths and shapes; `npm run platforms` mounts them beneath `/<id>`. */
  readonly endpoints: readonly Endpoint[];
  /** One whole flow from the App's side, as the vendor draws it. Refusals and missing answers are part of the flow, not thrown. */
  readonly play: (visitor: Visitor) => Promise<Flow>;
};

/**
 * What a flow begins with: the visitor's password, or a token that the backend issued to the App, for these scopes. The console
 * brings it.
 */
export type Beginning =
  | { readonly with: 'password' }
  | { readonly with: 'token'; readonly scope: readonly string[] };

export type SimulatorDefinition<Settings extends z.ZodObject = z.ZodObject> = {
  /**
   * The vendor's dashboard, as it can be set: by the vendor's names, each with a default that fits this backend, and
   * `.describe()`. One that both sides must agree on names the backend's variable: `.meta({ variable: 'PANGO_PATH' })`;
   * a secret has no default, and says `secret: true` there. One for which no default can fit another backend has an
   * example: `.meta({ example: 'your-client-id' })`.
   */
  readonly settings: Settings;
  readonly begins: Beginning;
  /** What the console sets besides, where the defaults would show little: AURORA would know nobody. */
  readonly demonstration?: Partial<z.input<Settings>>;
  readonly create: (
    /** Without a trailing slash. */
    backend: string,
    settings: z.output<Settings>,
    options?: AskOptions,
  ) => Simulator;
};

/** The backend's variable that this setting must agree with. */
export function variableOf(setting: z.ZodType): string | undefined {
  const variable = setting.meta()?.['variable'];
  return typeof variable === 'string' ? variable : undefined;
}

/** A simulator to register: checked here against its own settings, and of one type for the registry. */
export const simulator = <Settings extends z.ZodObject>(
  definition: SimulatorDefinition<Settings>,
): SimulatorDefinition => definition as unknown as SimulatorDefinition;
