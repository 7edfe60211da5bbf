// MCP up to 2025-11-25 over Streamable HTTP: one server instance per session, ended by DELETE, idleness or shutdown.
import { randomUUID } from 'node:crypto';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { isInitializeRequest } from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import { makeServer } from '../mcp/server.ts';
import type { Toolsets } from '../mcp/toolsets.ts';
import type { Runtime } from '../runtime.ts';
import { originOf } from './callers.ts';
import { createMcpSessions, type McpSession } from './mcp-sessions.ts';
import type { McpServing } from './modern-mcp.ts';
import { copyHeaders, RPC, refuseRpc } from './rpc-replies.ts';

interface StreamableSession extends McpSession {
  readonly transport: NodeStreamableHTTPServerTransport;
}

export function createSessionfulMcp(runtime: Runtime, clock: Clock): McpServing {
  const sessions = createMcpSessions<StreamableSession>(clock);

  async function open(request: FastifyRequest, reply: FastifyReply, toolsets: Toolsets): Promise<void> {
    const session_id = randomUUID();
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => session_id,
      keepAliveMs: limits.sse_keep_alive_ms,
      onsessionclosed: (closed) => sessions.remove(closed),
    });
    const origin = originOf(runtime, request, 'http', session_id);
    const server = makeServer(runtime, { origin, toolsets, announce: 'legacy' });
    const owner = ownerOf(runtime, request);
    if (!sessions.add({ session_id, owner, transport, close: () => server.close() })) {
      return refuseRpc(request, reply, 503, RPC.refused, 'Too many sessions are open. Close one, or wait.');
    }
    await server.connect(transport);
    return handOver(request, reply, session_id, transport);
  }

  async function handOver(
    request: FastifyRequest,
    reply: FastifyReply,
    session_id: string,
    transport: NodeStreamableHTTPServerTransport,
  ): Promise<void> {
    reply.raw.once('close', sessions.use(session_id));
    reply.hijack();
    copyHeaders(reply);
    await transport.handleRequest(request.raw, reply.raw, request.body);
  }

  return {
    async serve(request, reply, toolsets) {
      const named = request.headers['mcp-session-id'];
      if (typeof named === 'string') {
        const session = sessions.get(named);
        // Somebody else's session is as good as none: its name must tell nothing.
        if (session?.owner === ownerOf(runtime, request)) return handOver(request, reply, named, session.transport);
        return refuseRpc(request, reply, 404, RPC.no_session, 'Session not found: it ended. Send initialize again.');
      }
      if (request.method === 'POST' && isInitializeRequest(request.body)) return open(request, reply, toolsets);
      return refuseRpc(
        request,
        reply,
        400,
        RPC.refused,
        'No session: send initialize, and after that its Mcp-Session-Id.',
      );
    },
    close: () => sessions.closeAll(),
  };
}

function ownerOf(runtime: Runtime, request: FastifyRequest): string {
  return originOf(runtime, request, 'http').principalFor(undefined).user_id;
}
