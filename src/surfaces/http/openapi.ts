// OpenAPI 3.1 of the REST interface, built from the operations.
import type { z } from 'zod';
import type { Operation } from '../../kernel/operation.ts';
import { fullSchema, type JsonSchema } from '../mcp/json-schemas.ts';
import type { Runtime } from '../runtime.ts';
import { EVENTS_DESCRIPTION } from './events.ts';
import { BACKUP_FILES_PATH, BACKUP_TYPE } from './project-files.ts';
import { API_PREFIX, pathsOf } from './rest.ts';
import { IMPORT_TYPES, TRANSFER_QUERIES } from './transfers.ts';

const PROBLEM_REF = { $ref: '#/components/schemas/Problem' };
const PROBLEM_RESPONSE = {
  description: 'The request failed; `code`, `message` and `hint` say why and what to do.',
  content: { 'application/problem+json': { schema: PROBLEM_REF } },
};

export function buildOpenApi(runtime: Pick<Runtime, 'version'>, operations: readonly Operation[]): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {};
  const add = (path: string, method: string, description: unknown): void => {
    paths[path] = { ...paths[path], [method]: description };
  };
  for (const operation of operations)
    for (const [at, path] of pathsOf(operation).entries())
      add(path, operation.rest.method.toLowerCase(), describe(operation, path, at));
  add(`${API_PREFIX}/operations/{name}`, 'post', byName(operations));
  add(`${API_PREFIX}/import`, 'post', importDescription());
  add(`${API_PREFIX}/export`, 'get', exportDescription());
  add(BACKUP_FILES_PATH, 'post', backupInDescription());
  add(`${BACKUP_FILES_PATH}/{backup_id}`, 'get', backupOutDescription());
  add(`${API_PREFIX}/privacy/export`, 'get', personalDataDescription());
  add(`${API_PREFIX}/events`, 'get', {
    ...EVENTS_DESCRIPTION,
    responses: { ...EVENTS_DESCRIPTION.responses, default: PROBLEM_RESPONSE },
  });
  for (const { path, summary, open } of PLAIN_PATHS)
    add(path, 'get', {
      operationId: path.slice(1).replaceAll(/[^a-z]+/g, '_'),
      tags: ['service'],
      summary,
      ...(open ? { security: [] } : {}),
      responses: { 200: { description: summary } },
    });
  return {
    openapi: '3.1.0',
    info: {
      title: 'hAIveMind',
      version: runtime.version,
      description:
        'Shared memory and coordination for AI agents. Every operation is also an MCP tool and a CLI command.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    // The second: nothing, for the owner of the machine over its loopback.
    security: [{ bearer: [] }, {}],
    components: { schemas: { Problem: PROBLEM_SCHEMA }, securitySchemes: { bearer: BEARER_SCHEME } },
  };
}

/** `at`: which of its paths it is; ids of operations are unique. */
function describe(operation: Operation, path: string, at: number): JsonSchema {
  const { rest } = operation;
  const schema = fullSchema(operation.input, 'input');
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>;
  const required = new Set((schema.required ?? []) as string[]);
  const inPath = new Set([...path.matchAll(/\{([a-z0-9_]+)\}/gi)].map((match) => match[1] ?? ''));
  const inQuery = rest.method === 'GET';
  const parameters = Object.entries(properties)
    .filter(([name]) => inPath.has(name) || inQuery)
    .map(([name, field]) => parameter(name, field, inPath.has(name) ? 'path' : 'query', required.has(name)));
  const bodyNames = Object.keys(properties).filter((name) => !inPath.has(name) && !inQuery);
  return {
    operationId: at === 0 ? operation.name : `${operation.name}_${at + 1}`,
    tags: [operation.toolset],
    summary: operation.title,
    description: operation.description,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(bodyNames.length > 0 ? { requestBody: body(operation, schema, bodyNames, inPath) } : {}),
    responses: {
      [String(rest.status ?? 200)]: {
        description: 'Done.',
        content: { 'application/json': { schema: fullSchema(operation.output, 'output') } },
      },
      default: PROBLEM_RESPONSE,
    },
  };
}

function parameter(name: string, field: JsonSchema, place: 'path' | 'query', required: boolean): JsonSchema {
  const { description, ...schema } = field;
  return {
    name,
    in: place,
    required: place === 'path' || required,
    ...(description === undefined ? {} : { description }),
    schema,
  };
}

function body(
  operation: Operation,
  schema: JsonSchema,
  names: readonly string[],
  inPath: ReadonlySet<string>,
): JsonSchema {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>;
  const required = ((schema.required ?? []) as string[]).filter((name) => !inPath.has(name));
  const examples = Object.fromEntries(
    operation.examples.map((example, index) => [
      `example_${index + 1}`,
      {
        summary: example.title,
        value: Object.fromEntries(Object.entries(example.input).filter(([name]) => !inPath.has(name))),
      },
    ]),
  );
  return {
    required: required.length > 0,
    content: {
      'application/json': {
        schema: {
          ...schema,
          properties: Object.fromEntries(names.map((name) => [name, properties[name]])),
          ...(schema.required === undefined ? {} : { required }),
        },
        examples,
      },
    },
  };
}

function byName(operations: readonly Operation[]): JsonSchema {
  return {
    operationId: 'run_operation',
    tags: ['operations'],
    summary: 'Run any operation by its name',
    parameters: [
      {
        name: 'name',
        in: 'path',
        required: true,
        schema: { type: 'string', enum: operations.map((operation) => operation.name) },
      },
    ],
    requestBody: { content: { 'application/json': { schema: { type: 'object' } } } },
    responses: {
      200: { description: 'Done.', content: { 'application/json': { schema: { type: 'object' } } } },
      default: PROBLEM_RESPONSE,
    },
  };
}

function importDescription(): JsonSchema {
  const binary = { schema: { type: 'string', format: 'binary' } };
  return {
    operationId: 'import_memories',
    tags: ['transfer'],
    summary: 'Import memories',
    description:
      'Streams material in and answers with one JSON object a line: progress, problems, and at the end done or error.',
    parameters: queryParameters(TRANSFER_QUERIES.import),
    requestBody: { required: true, content: Object.fromEntries(IMPORT_TYPES.map((type) => [type, binary])) },
    responses: {
      200: { description: 'Progress.', content: { 'application/x-ndjson': { schema: { type: 'string' } } } },
      default: PROBLEM_RESPONSE,
    },
  };
}

function exportDescription(): JsonSchema {
  const text = { schema: { type: 'string' } };
  return {
    operationId: 'export_memories',
    tags: ['transfer'],
    summary: 'Export memories',
    parameters: queryParameters(TRANSFER_QUERIES.export),
    responses: {
      200: { description: 'Memories.', content: { 'application/x-ndjson': text, 'text/markdown': text } },
      default: PROBLEM_RESPONSE,
    },
  };
}

function backupInDescription(): JsonSchema {
  const ids = { type: 'object', properties: { backup_id: { type: 'string' }, project_id: { type: 'string' } } };
  return {
    operationId: 'take_in_project_backup',
    tags: ['transfer'],
    summary: 'Bring the file of a project backup to this hub',
    requestBody: { required: true, content: { [BACKUP_TYPE]: {} } },
    responses: {
      201: { description: 'It was read to its end.', content: { 'application/json': { schema: ids } } },
      default: PROBLEM_RESPONSE,
    },
  };
}

function backupOutDescription(): JsonSchema {
  return {
    operationId: 'take_out_project_backup',
    tags: ['transfer'],
    summary: 'The file of a project backup',
    parameters: [{ name: 'backup_id', in: 'path', required: true, schema: { type: 'string' } }],
    responses: { 200: { description: 'The file.', content: { [BACKUP_TYPE]: {} } }, default: PROBLEM_RESPONSE },
  };
}

function personalDataDescription(): JsonSchema {
  const text = { schema: { type: 'string' } };
  return {
    operationId: 'export_personal_data',
    tags: ['transfer'],
    summary: 'Export everything stored of a user',
    parameters: queryParameters(TRANSFER_QUERIES.personal_data),
    responses: {
      200: {
        description: 'One document.',
        content: { 'application/json': text, 'text/csv': text, 'text/markdown': text },
      },
      default: PROBLEM_RESPONSE,
    },
  };
}

function queryParameters(schema: z.ZodType): JsonSchema[] {
  const { properties } = fullSchema(schema, 'input');
  return Object.entries((properties ?? {}) as Record<string, JsonSchema>).map(([name, field]) =>
    parameter(name, field, 'query', false),
  );
}

const BEARER_SCHEME: JsonSchema = {
  type: 'http',
  scheme: 'bearer',
  bearerFormat: 'JWT',
  description: 'A token made with `haivemind token create`, or of an issuer the hub accepts.',
};

interface PlainPath {
  readonly path: string;
  readonly summary: string;
  /** For everybody. */
  readonly open: boolean;
}

const PLAIN_PATHS: readonly PlainPath[] = [
  { path: '/health', summary: 'State of the server, check by check', open: false },
  { path: '/health/live', summary: 'Whether the process runs', open: true },
  { path: '/health/ready', summary: 'Whether it takes requests', open: true },
  { path: '/metrics', summary: 'Prometheus metrics', open: false },
  {
    path: '/.well-known/oauth-protected-resource',
    summary: 'How to authenticate (RFC 9728); below it /mcp and /sse say the same of one address',
    open: true,
  },
  { path: '/.well-known/jwks.json', summary: 'Keys that verify the tokens of the hub', open: true },
];

const PROBLEM_SCHEMA: JsonSchema = {
  type: 'object',
  description: 'RFC 9457 problem details with a code, a message and a hint.',
  required: ['type', 'title', 'status', 'code', 'message', 'hint'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string', format: 'uri' },
    code: { type: 'string', examples: ['invalid_input', 'not_found'] },
    message: { type: 'string' },
    hint: { type: 'string' },
    details: { type: 'object' },
  },
};
