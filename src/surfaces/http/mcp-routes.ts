// MCP over HTTP: both generations of Streamable HTTP at /mcp, the same at /sse, and legacy HTTP+SSE by GET there.
import { isLegacyRequest } from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../kernel/clock.ts';
import { parseToolsets, type Toolsets } from '../mcp/toolsets.ts';
import type { Runtime } from '../runtime.ts';
import { logUnexpected, translateError } from './app.ts';
import { createLegacySse } from './legacy-sse.ts';
import { createModernMcp } from './modern-mcp.ts';
import { limitRpc } from './rate-limit.ts';
import { RPC, refuseRpc } from './rpc-replies.ts';
import { createSessionfulMcp } from './sessionful-mcp.ts';

export interface McpEndpoints {
  /** Ends sessions and streams. */
  close(): Promise<void>;
}

export function registerMcp(app: FastifyInstance, runtime: Runtime, clock: Clock): McpEndpoints {
  const modern = createModernMcp(runtime);
  const sessionful = createSessionfulMcp(runtime, clock);
  const sse = createLegacySse(runtime, clock);

  async function streamable(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const toolsets = readToolsets(runtime, request);
    if (request.method === 'POST' && request.body === undefined) {
      return refuseRpc(request, reply, 400, RPC.parse, 'The body is empty.');
    }
    const serving = (await isOfSessions(request)) ? sessionful : modern;
    return serving.serve(request, reply, toolsets);
  }

  app.register(async (scope) => {
    limitRpc(scope, runtime);
    scope.setErrorHandler((error, request, reply) => {
      const { body, status } = translateError(error);
      logUnexpected(runtime.log, error, status, request);
      if (status === 413) reply.header('connection', 'close');
      const code = status >= 500 ? RPC.internal : status === 400 ? RPC.parse : RPC.refused;
      return refuseRpc(request, reply, status, code, `${body.message} ${body.hint}`, body);
    });
    for (const url of ['/mcp', '/sse']) {
      scope.post(url, streamable);
      scope.delete(url, streamable);
    }
    // A HEAD must not open a stream.
    scope.get('/mcp', { exposeHeadRoute: false }, streamable);
    scope.get('/sse', { exposeHeadRoute: false }, async (request, reply) => {
      // A Streamable HTTP client that was given /sse opens its stream by GET with its session.
      if (request.headers['mcp-session-id'] !== undefined) return streamable(request, reply);
      return sse.open(request, reply, readToolsets(runtime, request));
    });
    scope.post(sse.message_path, (request, reply) => sse.receive(request, reply));
  });

  return {
    async close() {
      await Promise.all([sessionful.close(), sse.close(), modern.close()]);
    },
  };
}

/** The SDK's own decision between its generations, made from the headers and the body that is parsed already. */
function isOfSessions(request: FastifyRequest): Promise<boolean> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) if (typeof value === 'string') headers.set(name, value);
  return isLegacyRequest(new Request('http://localhost/mcp', { method: request.method, headers }), request.body);
}

function readToolsets(runtime: Runtime, request: FastifyRequest): Toolsets {
  const { toolsets } = request.query as { toolsets?: string | string[] };
  return parseToolsets(toolsets, runtime.executor.operations);
}
