// The oldest MCP transport, HTTP+SSE: one event stream to the client, messages from it by POST beside the stream.

import type { Transport } from '@modelcontextprotocol/server';
import { SSEServerTransport } from '@modelcontextprotocol/server-legacy/sse';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import { makeServer } from '../mcp/server.ts';
import type { Toolsets } from '../mcp/toolsets.ts';
import type { Runtime } from '../runtime.ts';
import { originOf } from './callers.ts';
import { createMcpSessions, type McpSession } from './mcp-sessions.ts';
import { copyHeaders, RPC, refuseRpc } from './rpc-replies.ts';

interface SseSession extends McpSession {
  readonly transport: SSEServerTransport;
}

export interface LegacySse {
  readonly message_path: string;
  open(request: FastifyRequest, reply: FastifyReply, toolsets: Toolsets): Promise<void>;
  receive(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  close(): Promise<void>;
}

const MESSAGE_PATH = '/messages';

export function createLegacySse(runtime: Runtime, clock: Clock): LegacySse {
  const sessions = createMcpSessions<SseSession>(clock);

  async function open(request: FastifyRequest, reply: FastifyReply, toolsets: Toolsets): Promise<void> {
    const { raw } = reply;
    const transport = new SSEServerTransport(MESSAGE_PATH, raw);
    const session_id = transport.sessionId;
    const origin = originOf(runtime, request, 'sse', session_id);
    const server = makeServer(runtime, { origin, toolsets, announce: 'legacy' });
    const owner = origin.principalFor(undefined).user_id;
    if (!sessions.add({ session_id, owner, transport, close: () => server.close() })) {
      return refuseRpc(request, reply, 503, RPC.refused, 'Too many event streams are open. Close one, or wait.');
    }
    const done = sessions.use(session_id);
    // Comments keep proxies from ending a quiet stream, and find out that the client is gone.
    const heartbeat = setInterval(() => {
      // A client that stopped reading without hanging up would fill the memory.
      if (raw.writableLength > limits.request_body_max_bytes) raw.destroy();
      else raw.write(': keep-alive\n\n');
    }, limits.sse_keep_alive_ms);
    raw.once('close', () => {
      clearInterval(heartbeat);
      done();
      sessions.remove(session_id);
      void server.close();
    });
    reply.hijack();
    copyHeaders(reply);
    await server.connect(transport as Transport);
  }

  async function receive(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { sessionId } = request.query as { sessionId?: string };
    const session = sessionId === undefined ? undefined : sessions.get(sessionId);
    if (!session)
      return refuseRpc(request, reply, 404, RPC.no_session, 'Session not found: open the event stream at /sse first.');
    reply.hijack();
    copyHeaders(reply);
    await session.transport.handlePostMessage(request.raw, reply.raw, request.body);
  }

  return { message_path: MESSAGE_PATH, open, receive, close: () => sessions.closeAll() };
}
