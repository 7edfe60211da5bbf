// The bare HTTP server both ports share: limits, guards, JSON bodies, errors; routes come from the callers.
import { randomUUID } from 'node:crypto';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type ErrorBody, failure, HaivemindError, toErrorBody } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import { jsonDepthExceeds } from '../../kernel/text-safety.ts';
import { ENVELOPE_DEPTH_LEVELS } from '../mcp/stdio.ts';
import type { Runtime } from '../runtime.ts';
import { declaresBody, watchBody } from './body-watch.ts';
import type { CredentialWatch } from './credential-watch.ts';
import { checkHost, checkOrigin, type GuardSettings, type Incoming, type Refusal } from './guards.ts';
import { identify, remember } from './identify.ts';
import { PROBLEM_TYPE, problemOf, statusOf } from './problems.ts';
import { baseUrl, challengeOf } from './protected-resource.ts';

export interface AppOptions {
  readonly runtime: Pick<Runtime, 'log' | 'identities'>;
  /** Read on every request, because the port is known only after listening. */
  readonly guards: () => GuardSettings;
  /** Paths open to callers that are not known: probes of an orchestrator, and how to become known. */
  readonly open_paths: ReadonlySet<string>;
  readonly watch: CredentialWatch;
  readonly phase: () => Phase;
}

/**
 * `draining`: about to stop; everything is answered, and clients are asked to open their next connection elsewhere.
 * `stopping`: what still arrives on open connections is refused.
 */
export type Phase = 'serving' | 'draining' | 'stopping';

export function createApp(options: AppOptions): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: limits.request_body_max_bytes,
    // Bodies have their own watch (body-watch.ts), because an import may take longer than a request.
    requestTimeout: 0,
    keepAliveTimeout: limits.http_keep_alive_timeout_ms,
    forceCloseConnections: 'idle',
    genReqId: () => `req_${randomUUID()}`,
    routerOptions: { maxParamLength: 1_000 },
    http: {
      headersTimeout: limits.http_headers_timeout_ms,
      connectionsCheckingInterval: 1_000,
      keepAlive: true,
      keepAliveInitialDelay: limits.sse_keep_alive_ms,
      maxHeaderSize: 32 * 1024,
    },
    frameworkErrors: (error, request, reply) => void sendError(options.runtime.log, error, request, reply),
  });
  app.addHook('onRequest', async (request, reply) => guard(options, request, reply));
  app.setErrorHandler((error, request, reply) => sendError(options.runtime.log, error, request, reply));
  const routes = rememberRoutes(app);
  app.setNotFoundHandler((request, reply) => notFound(routes, request, reply));
  parseJsonOnly(app);
  return app;
}

async function guard(
  options: AppOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
  watchBody(request.raw, reply.raw);
  const phase = options.phase();
  if (phase !== 'serving') reply.header('connection', 'close');
  if (phase === 'stopping') return sendProblem(request, reply, STOPPING);
  const settings = options.guards();
  const incoming = incomingOf(request);
  const open = options.open_paths.has(request.url.split('?', 1)[0] ?? '');
  const refusal = checkHost(incoming, settings) ?? checkOrigin(incoming, settings);
  if (refusal) return refuse(options, refusal, request, reply);
  if (open) return undefined;
  const caller = await identify(options.runtime.identities, incoming, settings);
  if ('status' in caller) return refuse(options, caller, request, reply);
  remember(request, caller);
  options.watch.add(caller, reply.raw);
  return undefined;
}

function incomingOf({ headers, raw, socket }: FastifyRequest): Incoming {
  return {
    headers,
    raw_headers: raw.rawHeaders,
    url: raw.url ?? '/',
    remote_address: socket.remoteAddress,
    remote_port: socket.remotePort,
    local_address: socket.localAddress,
  };
}

const STOPPING: ErrorBody = {
  code: 'unavailable',
  message: 'The server is stopping.',
  hint: 'Send the request again in a moment.',
};

function refuse(
  { runtime: { log, identities }, open_paths }: AppOptions,
  refusal: Refusal,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const remote_address = request.socket.remoteAddress;
  log.warn({ request_id: request.id, status: refusal.status, remote: remote_address }, refusal.body.message);
  // Probes come all the time, also by names that are not ours.
  if (!open_paths.has(request.url.split('?', 1)[0] ?? ''))
    void identities.turnedAway({ reason: refusal.reason, remote_address });
  if (refusal.status === 401) reply.header('www-authenticate', challengeOf(refusal, baseUrl(identities, request)));
  // The body is never read: a connection that still carries it cannot be used again.
  if (declaresBody(request.headers)) reply.header('connection', 'close');
  return sendProblem(request, reply, refusal.body, refusal.status);
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  body: ErrorBody,
  status?: number,
): FastifyReply {
  const problem = problemOf(body, request.id, status ?? statusOf(body.code));
  return reply.code(problem.status).header('content-type', PROBLEM_TYPE).serializer(JSON.stringify).send(problem);
}

/** JSON alone: a form or text/plain can be sent by a page of another origin without asking. */
function parseJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, parseJson(String(text)));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Parses a body whose depth was bounded on its text first: a parsed value that deep overflows the stack later. */
export function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  if (jsonDepthExceeds(text, limits.json_depth_max_levels + ENVELOPE_DEPTH_LEVELS)) {
    const message = `The body is nested deeper than ${limits.json_depth_max_levels} levels.`;
    throw failure('limit_exceeded', message, 'Flatten the value or store it as text.');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw failure('invalid_input', 'The body is not valid JSON.', 'Send one JSON value in UTF-8.');
  }
}

function sendError(log: Runtime['log'], error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { body, status } = translateError(error);
  logUnexpected(log, error, status, request);
  if (status === 413) reply.header('connection', 'close');
  return sendProblem(request, reply, body, status);
}

export function logUnexpected(log: Runtime['log'], error: unknown, status: number, request: FastifyRequest): void {
  if (status < 500 || status === 503) return;
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log.error({ request_id: request.id, error: shown }, 'A request failed unexpectedly.');
}

/** Anything thrown as a body and a status; errors of the HTTP layer itself have no code of ours. */
export function translateError(error: unknown): { body: ErrorBody; status: number } {
  const http = error as Partial<FastifyError>;
  if (error instanceof HaivemindError || http.statusCode === undefined || http.statusCode >= 500) {
    const body = toErrorBody(error);
    return { body, status: statusOf(body.code) };
  }
  const known = HTTP_FAILURES[http.statusCode];
  return {
    body: known ?? { code: 'invalid_input', message: 'The request is malformed.', hint: 'See /openapi.json.' },
    status: http.statusCode,
  };
}

const HTTP_FAILURES: Readonly<Record<number, ErrorBody>> = {
  400: {
    code: 'invalid_input',
    message: 'The request could not be read: its path, query or body is malformed.',
    hint: 'Encode the path as UTF-8 with percent signs only where they belong, and send a JSON body.',
  },
  413: {
    code: 'limit_exceeded',
    message: `The body is larger than ${limits.request_body_max_bytes} bytes.`,
    hint: 'Send less at once; large material goes to POST /api/v1/import.',
  },
  415: {
    code: 'invalid_input',
    message: 'The body is not declared as application/json.',
    hint: 'Send the header content-type: application/json.',
  },
};

interface KnownRoute {
  readonly method: string;
  readonly path: RegExp;
}

function rememberRoutes(app: FastifyInstance): readonly KnownRoute[] {
  const routes: KnownRoute[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const path = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z_]+/g, '[^/]+')}$`);
    for (const one of [method].flat()) routes.push({ method: one, path });
  });
  return routes;
}

/** 405 where the path exists for another method, else 404. */
function notFound(routes: readonly KnownRoute[], request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.split('?', 1)[0] ?? '/';
  const allowed = [...new Set(routes.filter((route) => route.path.test(path)).map((route) => route.method))];
  if (declaresBody(request.headers)) reply.header('connection', 'close');
  if (allowed.length === 0 && USUAL_METHODS.has(request.method)) {
    const body = {
      code: 'not_found',
      message: 'There is nothing at this path.',
      hint: 'See /openapi.json for what there is.',
    };
    return sendProblem(request, reply, body);
  }
  const list = (allowed.length > 0 ? allowed : [...USUAL_METHODS]).join(', ');
  reply.header('allow', list);
  const body = { code: 'invalid_input', message: 'This method is not possible here.', hint: `Allowed: ${list}.` };
  return sendProblem(request, reply, body, 405);
}

const USUAL_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
