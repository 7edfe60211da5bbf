// Calls per caller, counted over all hubs: 429 with the time to wait, as a problem document or as a JSON-RPC error.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorBody } from '../../kernel/errors.ts';
import type { Runtime } from '../runtime.ts';
import { sendProblem } from './app.ts';
import { declaresBody } from './body-watch.ts';
import { WELL_KNOWN_PATHS } from './protected-resource.ts';
import { RPC, refuseRpc } from './rpc-replies.ts';
import { ownerOf } from './session-state.ts';

/** What watches the server must not compete with what uses it. */
const EXEMPT: ReadonlySet<string | undefined> = new Set([
  '/health',
  '/health/live',
  '/health/ready',
  '/metrics',
  // Nobody is known there, whom a call could be counted for.
  ...WELL_KNOWN_PATHS,
]);
/** There the answer names the request, which is read only later: limitRpc. */
const RPC_PATHS: ReadonlySet<string | undefined> = new Set(['/mcp', '/sse', '/messages']);

/** Before bodies are read. */
export function limitCalls(app: FastifyInstance, runtime: Runtime): void {
  if (!runtime.limitCall) return;
  app.addHook('onRequest', async (request, reply) => {
    const path = request.routeOptions.url;
    if (EXEMPT.has(path) || RPC_PATHS.has(path)) return undefined;
    const refused = await refusal(runtime, request, reply);
    if (!refused) return undefined;
    // The body is never read: a connection that still carries it cannot be used again.
    if (declaresBody(request.headers)) reply.header('connection', 'close');
    return sendProblem(request, reply, refused);
  });
}

export function limitRpc(app: FastifyInstance, runtime: Runtime): void {
  if (!runtime.limitCall) return;
  app.addHook('preHandler', async (request, reply) => {
    const refused = await refusal(runtime, request, reply);
    if (!refused) return undefined;
    await refuseRpc(request, reply, 429, RPC.refused, `${refused.message} ${refused.hint}`, refused);
    return reply;
  });
}

async function refusal(runtime: Runtime, request: FastifyRequest, reply: FastifyReply): Promise<ErrorBody | undefined> {
  const verdict = await runtime.limitCall?.(ownerOf(runtime, request));
  if (!verdict || verdict.allowed) return undefined;
  const wait_seconds = Math.max(1, Math.ceil(verdict.retry_after_ms / 1000));
  reply.header('retry-after', wait_seconds);
  return {
    code: 'rate_limited',
    message: 'This caller sends more requests than the server allows.',
    hint: `Wait ${wait_seconds} s. The limit is remote_server.calls_per_minute in the configuration.`,
  };
}
