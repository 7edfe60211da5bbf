// REST below /api/v1: every operation at the path its definition names, and all of them by name.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { failure } from '../../kernel/errors.ts';
import type { Operation, OperationContext } from '../../kernel/operation.ts';
import { fullSchema, type JsonSchema } from '../mcp/json-schemas.ts';
import { resolveCaller } from '../mcp/sessions.ts';
import type { Runtime } from '../runtime.ts';
import { declaresBody } from './body-watch.ts';
import { originOf } from './callers.ts';
import { coerceQuery, type Query } from './coerce.ts';

export const API_PREFIX = '/api/v1';

export function registerRest(app: FastifyInstance, runtime: Runtime): void {
  for (const operation of runtime.executor.operations) registerOperation(app, runtime, operation);
  app.post<{ Params: { name: string } }>(`${API_PREFIX}/operations/:name`, async (request, reply) => {
    requireJson(request);
    return execute(runtime, request.params.name, bodyFields(request), 200, request, reply);
  });
}

function registerOperation(app: FastifyInstance, runtime: Runtime, operation: Operation): void {
  const { method, status = 200 } = operation.rest;
  const schema = fullSchema(operation.input, 'input');
  for (const path of pathsOf(operation))
    app.route({
      method,
      url: path.replace(/\{([a-z0-9_]+)\}/gi, ':$1'),
      async handler(request, reply) {
        const input = inputOf(request, schema);
        refuseUnknownFields(operation, input);
        return execute(runtime, operation.name, input, status, request, reply);
      },
    });
}

/** Everything an operation is reached by, with `{param}` for fields of its input; its own path first. */
export function pathsOf({ rest: { path, also = [] } }: Pick<Operation, 'rest'>): readonly string[] {
  return [`${API_PREFIX}${path}`, ...also];
}

/** Path wins over body, body over query: the path says what the request is about. */
function inputOf(request: FastifyRequest, schema: JsonSchema): Record<string, unknown> {
  const path = coerceQuery(request.params as Query, schema);
  const query = coerceQuery(request.query as Query, schema);
  if (request.method === 'GET' || request.method === 'HEAD') return { ...query, ...path };
  requireJson(request);
  return { ...query, ...bodyFields(request), ...path };
}

function bodyFields(request: FastifyRequest): Record<string, unknown> {
  const { body } = request;
  if (body === undefined || body === null) return {};
  if (typeof body === 'object' && !Array.isArray(body)) return body as Record<string, unknown>;
  throw failure(
    'invalid_input',
    'The body is not a JSON object.',
    'Send the fields of the operation as one JSON object.',
  );
}

/** A body without a type was parsed by nobody; one with another type was refused before. */
function requireJson(request: FastifyRequest): void {
  if (!declaresBody(request.headers) || request.headers['content-type'] !== undefined) return;
  throw failure('invalid_input', 'The body has no content-type.', 'Send the header content-type: application/json.');
}

function refuseUnknownFields(operation: Operation, input: Readonly<Record<string, unknown>>): void {
  const known = Object.keys(operation.input.shape);
  const unknown = Object.keys(input).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const names = unknown.slice(0, 5).map((name) => name.slice(0, 100));
  throw failure(
    'invalid_input',
    `${operation.name} has no field called ${names.map((name) => JSON.stringify(name)).join(', ')}.`,
    known.length > 0 ? `Fields of ${operation.name}: ${known.join(', ')}.` : `${operation.name} takes no fields.`,
    { details: { issues: names.map((field) => ({ field, problem: 'is not known' })) } },
  );
}

async function execute(
  runtime: Runtime,
  name: string,
  input: unknown,
  status: number,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const ctx = contextOf(runtime, request, reply);
  const { output } = await runtime.executor.execute(name, input, ctx);
  return reply.code(status).header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(output));
}

/** The call's context; it is aborted when the caller hangs up. */
export function contextOf(runtime: Runtime, request: FastifyRequest, reply: FastifyReply): OperationContext {
  const caller = resolveCaller(originOf(runtime, request, 'rest'), undefined, { name: request.headers['user-agent'] });
  reply.header('x-haivemind-session', caller.session_name);
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return {
    principal: caller.principal,
    session: caller.session,
    request_id: request.id,
    signal: gone.signal,
    reportProgress: () => undefined,
  };
}
