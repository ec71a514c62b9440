/**
 * OpenAPI 3.1 of all that answers: from the schemas that the endpoints parse with, and the rows of the platforms' tables.
 * https://spec.openapis.org/oas/v3.1.1
 */
import { z } from 'zod';
import type { Described, DescribedAnswer, Reference } from '../http/endpoint.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { type Example, examplesOf } from './openapi-examples.ts';
import { securitySchemes } from './openapi-security.ts';

/** What belongs together in the reference. */
export type Group = {
  readonly title: string;
  readonly text?: string;
  /** The vendor's own page. */
  readonly docs?: string;
  readonly routes: readonly Described[];
  /** Rows to take examples from. */
  readonly scenarios?: readonly Scenario[];
};

export type Shown = {
  /** How the world reaches this server, without a trailing slash. */
  readonly issuer: string;
  readonly version: string;
  readonly groups: readonly Group[];
};

type JsonSchema = z.core.JSONSchema.JSONSchema;
type Properties = Readonly<Record<string, JsonSchema>>;
type Named = Readonly<Record<string, unknown>>;

/** OpenAPI 3.1 takes JSON Schema of this draft as it is. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      // JSON has one kind of integers, of any size.
      if (zodSchema._zod.def.type === 'bigint') jsonSchema.type = 'integer';
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return rest as JsonSchema;
}

const propertiesOf = (schema: JsonSchema | undefined) => (schema?.properties ?? {}) as Properties;

const isEmpty = (object: object) => Object.keys(object).length === 0;

/** What must not be there (`z.never()`) is no parameter. */
const isNothing = ({ not }: JsonSchema) => not !== undefined && isEmpty(not as object);

const without = (properties: Properties, names: readonly string[]): Properties =>
  Object.fromEntries(
    Object.entries(properties).filter(
      ([name, schema]) => !names.includes(name) && !isNothing(schema),
    ),
  );

const examplesWith = (
  examples: readonly Example[],
  valueIn: (example: Example) => unknown,
): { examples?: Named } => {
  const found = examples.flatMap((example) => {
    const value = valueIn(example);
    return value === undefined ? [] : [[example.id, { summary: example.title, value }] as const];
  });
  return found.length === 0 ? {} : { examples: Object.fromEntries(found) };
};

/** One that stands there once. */
const inQuery =
  (name: string) =>
  ({ sent }: Example) => {
    const value = sent?.query[name];
    return typeof value === 'string' ? value : undefined;
  };

/** The request of an endpoint, in OpenAPI's places. */
function requestOf(
  { accepts = 'any', reference }: Described,
  method: 'GET' | 'POST',
  secured: readonly string[],
  examples: readonly Example[],
) {
  const schema = reference?.request && schemaOf(reference.request, 'input');
  const { parameters: asked, headers, body } = propertiesOf(schema);
  const required = asked?.required ?? [];
  const names = without(propertiesOf(asked), secured);
  const bodies = method === 'POST' && accepts !== 'json' && !isEmpty(names);
  // What must be there cannot be said to be in either of two places.
  const queries = method === 'GET' || (accepts === 'any' && required.length === 0);

  const parameters = [
    ...Object.entries(queries ? names : {}).map(([name, { description, ...rest }]) => ({
      name,
      in: 'query',
      ...(description === undefined ? {} : { description }),
      required: required.includes(name),
      schema: rest,
      ...examplesWith(examples, inQuery(name)),
    })),
    // OpenAPI leaves this one to the security schemes.
    ...Object.entries(without(propertiesOf(headers), [...secured, 'authorization'])).map(
      ([name, { description, ...rest }]) => ({
        name,
        in: 'header',
        ...(description === undefined ? {} : { description }),
        schema: rest,
      }),
    ),
  ];

  const form = {
    type: 'object',
    properties: names,
    ...(required.length === 0 ? {} : { required }),
  };
  const asForm = { schema: form, ...examplesWith(examples, ({ sent }) => sent?.form) };
  const asJson = { schema: body ?? form, ...examplesWith(examples, ({ sent }) => sent?.json) };
  const content = {
    ...(bodies ? { 'application/x-www-form-urlencoded': asForm } : {}),
    ...(method === 'POST' && (body || (bodies && accepts === 'any'))
      ? { 'application/json': asJson }
      : {}),
  };
  return {
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(isEmpty(content)
      ? {}
      : { requestBody: { required: body !== undefined || required.length > 0, content } }),
  };
}

const unauthorized: DescribedAnswer = {
  text: 'The platform is not who it says.',
  body: z.object({ error: z.literal('unauthorized') }),
};

/** What a POST can be told; those of forms say it themselves. */
const unreadable: DescribedAnswer = {
  text: 'The body cannot be read (400), is too large (413), or of another kind (415).',
  body: z.looseObject({}),
};

const faulty: DescribedAnswer = {
  text: 'A fault of ours: 500, or 503 with `Retry-After` for what will pass. Never a refusal.',
  body: z.object({
    error: z.enum(['server_error', 'temporarily_unavailable']),
    request_id: z.string(),
  }),
};

const faultSchema = { $ref: '#/components/responses/Fault' };

function responseOf({ text, body, type }: DescribedAnswer, examples: readonly Example[]) {
  const answered = examplesWith(examples, (example) => example.answered);
  return {
    description: text,
    ...(body && {
      content: { 'application/json': { schema: schemaOf(body, 'output'), ...answered } },
    }),
    ...(type && { content: { [type]: { schema: { type: 'string' } } } }),
  };
}

function responsesOf(
  { caller, accepts }: Described,
  { answers }: Reference,
  method: 'GET' | 'POST',
  examples: readonly Example[],
) {
  const described: Readonly<Record<string, DescribedAnswer>> = {
    ...answers,
    ...(caller && { 401: unauthorized }),
    ...(method === 'POST' && accepts !== 'form' && { '4XX': unreadable }),
  };
  const keyOf = ({ status }: Example) =>
    String(status) in described ? String(status) : `${Math.floor(status / 100)}XX`;
  const responses = Object.entries(described).map(([key, answer]) => [
    key,
    responseOf(
      answer,
      examples.filter((example) => keyOf(example) === key),
    ),
  ]);
  return { ...Object.fromEntries(responses), '5XX': faultSchema };
}

const operationId = (method: string, path: string) =>
  `${method.toLowerCase()}${path.replace(/[^a-z0-9]+/gi, '_').replace(/_$/, '')}`;

const undescribed: Reference = {
  summary: 'Not described',
  answers: { 200: { text: 'An answer.' } },
};

/** The document, as JSON has it. */
export function openApi({ issuer, version, groups }: Shown): Named {
  const schemes = securitySchemes(issuer);

  function operation({ title, scenarios = [] }: Group, route: Described, method: 'GET' | 'POST') {
    const { path, caller, reference = undescribed } = route;
    const examples = examplesOf(
      scenarios.filter(({ send }) => send.path === path && send.method === method),
    );
    const security = caller ? [{ caller: [] }] : (reference.security ?? []);
    const secured = security
      .flatMap((one) => Object.keys(one) as (keyof typeof schemes)[])
      .flatMap((name) => schemes[name].name ?? []);
    return {
      operationId: operationId(method, path),
      tags: [title],
      summary: reference.summary,
      ...(reference.text === undefined ? {} : { description: reference.text }),
      security,
      ...requestOf(route, method, secured, examples),
      responses: responsesOf(route, reference, method, examples),
    };
  }

  const paths: Record<string, Record<string, unknown>> = {};
  for (const group of groups) {
    for (const route of group.routes) {
      for (const method of route.methods) {
        paths[route.path] = {
          ...paths[route.path],
          [method.toLowerCase()]: operation(group, route, method),
        };
      }
    }
  }

  return {
    openapi: '3.1.1',
    info: {
      title: 'partner-idp-kit',
      version,
      summary: 'The customer’s backend that third-party platforms call to verify a user.',
      description:
        'A refusal is spoken in the platform’s own words; a fault is a 5xx in ours. Nothing is to be cached. In examples, `<token of test1>` stands for a real one.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: issuer }],
    tags: groups.map(({ title, text, docs }) => ({
      name: title,
      ...(text && { description: text }),
      ...(docs && { externalDocs: { description: 'The vendor’s own page', url: docs } }),
    })),
    paths,
    components: {
      securitySchemes: schemes,
      responses: { Fault: responseOf(faulty, []) },
    },
  };
}
