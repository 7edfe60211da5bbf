// MCP 2026-07-28 over HTTP: no sessions, one server instance per request.
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { limits } from '../../kernel/limits.ts';
import { makeServer } from '../mcp/server.ts';
import type { CallOrigin } from '../mcp/sessions.ts';
import { resourceRefusal, urisListenedTo } from '../mcp/subscriptions.ts';
import type { Toolsets } from '../mcp/toolsets.ts';
import type { Runtime } from '../runtime.ts';
import { originOf } from './callers.ts';
import { createListening } from './listening.ts';
import { asSdkRequest, asSdkResponse, copyHeaders, leaveConnectionToNode, RPC, refuseRpc } from './rpc-replies.ts';

export interface McpServing {
  serve(request: FastifyRequest, reply: FastifyReply, toolsets: Toolsets): Promise<void>;
  /** Ends sessions and streams. */
  close(): Promise<void>;
}

export function createModernMcp(runtime: Runtime): McpServing {
  // The handler makes servers from the request alone; who sent it is known only here.
  const senders = new WeakMap<Request, { origin: CallOrigin; toolsets: Toolsets }>();
  const onerror = (error: Error): void => runtime.log.warn({ error: error.message }, 'MCP over HTTP');
  const listening = createListening(runtime);
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const sender = requestInfo && senders.get(requestInfo);
      if (!sender) throw new Error('A request reached MCP without its sender.');
      return makeServer(runtime, { ...sender, announce: 'none' });
    },
    {
      legacy: 'reject',
      onerror,
      keepAliveMs: limits.sse_keep_alive_ms,
      bus: listening.bus,
      // Counted by user instead: one must not take the room of another.
      maxSubscriptions: Number.MAX_SAFE_INTEGER,
    },
  );
  const stopAnnouncing = runtime.onResourceChanged((uri) => handler.notify.resourceUpdated(uri));

  return {
    async serve(request, reply, toolsets) {
      const origin = originOf(runtime, request, 'http');
      const reader = origin.principalFor(origin.agent_id);
      if (isListen(request.body)) {
        const refusal = resourceRefusal(runtime, urisListenedTo(request.body));
        if (refusal)
          return refuseRpc(request, reply, 400, RPC.invalid_params, `${refusal.message} ${refusal.hint}`, refusal);
        const leave = listening.enter(reader.user_id);
        if (!leave)
          return refuseRpc(request, reply, 503, RPC.refused, 'Too many event streams are open. Close one, or wait.');
        reply.raw.once('close', leave);
      }
      const handle = toNodeHandler(
        {
          async fetch(web_request, options) {
            senders.set(web_request, { origin, toolsets });
            const fetched = listening.as(reader, request.body, () => handler.fetch(web_request, options));
            return leaveConnectionToNode(await fetched);
          },
        },
        { onerror },
      );
      reply.hijack();
      copyHeaders(reply);
      await handle(asSdkRequest(request.raw), asSdkResponse(reply.raw), request.body);
    },
    async close() {
      stopAnnouncing();
      await handler.close();
    },
  };
}

function isListen(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'method' in body && body.method === 'subscriptions/listen';
}
