// MCP up to 2025-11-25 over Streamable HTTP: a session any hub can serve, ended by DELETE or idleness.
import { randomUUID } from 'node:crypto';
import { isInitializeRequest, type JSONRPCMessage } from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { Toolsets } from '../mcp/toolsets.ts';
import type { Runtime } from '../runtime.ts';
import { createMcpSessions } from './mcp-sessions.ts';
import type { McpServing } from './modern-mcp.ts';
import { RPC, refuseRpc } from './rpc-replies.ts';
import { hearHubs, tellHubs } from './session-events.ts';
import { keptHandshake, ownerOf, stateOf } from './session-state.ts';
import { keepInStore } from './session-upkeep.ts';
import { openStreamable, type StreamableSession } from './streamable-session.ts';

type Refused = 'unknown' | 'too_many';

export function createSessionfulMcp(runtime: Runtime, clock: Clock): McpServing {
  const here = createMcpSessions<StreamableSession>(clock);
  /** Sessions of other hubs that are just being gone on with: requests that come together share one instance. */
  const beginning = new Map<string, Promise<StreamableSession | Refused>>();
  const stops = [followHubs(runtime, here), keepInStore(runtime, here)];

  async function open(request: FastifyRequest, reply: FastifyReply, toolsets: Toolsets): Promise<void> {
    const { params } = request.body as { params: Record<string, unknown> };
    const state = { ...stateOf(runtime, request, 'streamable', toolsets), initialize: keptHandshake(params) };
    const record = { session_id: randomUUID(), owner: ownerOf(runtime, request), state };
    const session = await openStreamable(runtime, record, { begun: false });
    if (!here.add(session)) {
      await session.close();
      return tooMany(request, reply);
    }
    // Before the client learns its name, so that every hub knows it as soon as the client may use it.
    await runtime.mcpSessions.create(record).catch((error: unknown) => {
      here.remove(record.session_id);
      void session.close();
      throw error;
    });
    await handOver(request, reply, session);
    if (session.isOpen()) return;
    here.remove(record.session_id);
    await Promise.all([session.close(), runtime.mcpSessions.remove(record.session_id)]);
  }

  async function handOver(request: FastifyRequest, reply: FastifyReply, session: StreamableSession): Promise<void> {
    reply.raw.once('close', here.use(session.session_id));
    await session.serve(request, reply);
  }

  async function find(session_id: string, owner: string): Promise<StreamableSession | Refused> {
    const session = here.get(session_id);
    if (session) return session.owner === owner ? session : 'unknown';
    if (session_id.length > limits.id_length_max_chars) return 'unknown';
    const key = JSON.stringify([owner, session_id]);
    const begun = beginning.get(key) ?? goOn(session_id, owner).finally(() => beginning.delete(key));
    beginning.set(key, begun);
    return begun;
  }

  async function goOn(session_id: string, owner: string): Promise<StreamableSession | Refused> {
    const record = await runtime.mcpSessions.load(session_id);
    // Somebody else's session is as good as none: its name must tell nothing.
    if (record?.owner !== owner || record.state.kind !== 'streamable') return 'unknown';
    const session = await openStreamable(runtime, record, { begun: true });
    if (!here.add(session)) {
      await session.close();
      return 'too_many';
    }
    // What was told before this hub listened for the session is in the store by now.
    const now = await runtime.mcpSessions.load(session_id);
    if (now) session.subscriptions.replace(now.state.subscriptions);
    else here.end(session_id);
    return now ? session : 'unknown';
  }

  async function tell(request: FastifyRequest, session_id: string): Promise<void> {
    if (request.method === 'DELETE') {
      await runtime.mcpSessions.remove(session_id);
      await tellHubs(runtime.relay, { type: 'ended', session_id });
    }
    const message = cancellationIn(request.body);
    if (message) await tellHubs(runtime.relay, { type: 'cancelled', session_id, message });
  }

  return {
    async serve(request, reply, toolsets) {
      const named = request.headers['mcp-session-id'];
      if (typeof named === 'string') {
        const session = await find(named, ownerOf(runtime, request));
        if (session === 'too_many') return tooMany(request, reply);
        if (session === 'unknown')
          return refuseRpc(request, reply, 404, RPC.no_session, 'Session not found: it ended. Send initialize again.');
        await tell(request, named);
        await handOver(request, reply, session);
        if (request.method === 'DELETE') here.remove(named);
        return;
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
    async close() {
      for (const stop of stops) stop();
      // What is kept of them stays: their clients go on at another hub, or at this one's successor.
      await here.closeAll();
    },
  };
}

type Here = ReturnType<typeof createMcpSessions<StreamableSession>>;

/** Does here what was done to a session at another hub. */
function followHubs({ relay }: Runtime, here: Here): () => void {
  return hearHubs(relay, (event) => {
    const session = here.peek(event.session_id);
    if (event.type === 'ended') here.end(event.session_id);
    else if (event.type === 'cancelled') session?.take(event.message as JSONRPCMessage);
    else session?.subscriptions.apply(event.type, event.uri);
  });
}

/** The call it gives up may run at another hub. */
function cancellationIn(body: unknown) {
  const { jsonrpc, method, ...rest } = (body ?? {}) as Record<string, unknown>;
  if (jsonrpc !== '2.0' || method !== 'notifications/cancelled') return undefined;
  return { ...rest, jsonrpc: '2.0' as const, method: 'notifications/cancelled' as const };
}

function tooMany(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  return refuseRpc(request, reply, 503, RPC.refused, 'Too many sessions are open. Close one, or wait.');
}
