// The oldest MCP transport, HTTP+SSE: one event stream to the client, messages from it by POST beside the stream. The
// stream and its session are on one hub; a message that arrives at another is handed to it.
import { setTimeout as pause } from 'node:timers/promises';
import { parseJSONRPCMessage, type Transport } from '@modelcontextprotocol/server';
import { SSEServerTransport } from '@modelcontextprotocol/server-legacy/sse';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../kernel/clock.ts';
import type { ErrorBody } from '../../kernel/errors.ts';
import { asAuthInfo, principalOf } from '../mcp/sender.ts';
import { makeServer } from '../mcp/server.ts';
import type { Toolsets } from '../mcp/toolsets.ts';
import type { Runtime } from '../runtime.ts';
import { senderOfRequest } from './callers.ts';
import { keepStreamAlive } from './event-stream.ts';
import { createMcpSessions, type McpSession } from './mcp-sessions.ts';
import { copyHeaders, RPC, refuseRpc } from './rpc-replies.ts';
import { originOfSession, ownerOf, stateOf } from './session-state.ts';
import { keepInStore } from './session-upkeep.ts';
import { answerPosts, type HandedOver, handToHub, type SsePost } from './sse-posts.ts';

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
/** For the answers to what was taken last. */
const LAST_ANSWERS_MS = 250;

export function createLegacySse(runtime: Runtime, clock: Clock): LegacySse {
  const here = createMcpSessions<SseSession>(clock);
  const { relay, mcpSessions, log } = runtime;
  let closing = false;

  async function take({ session_id, sender, message }: SsePost): Promise<boolean> {
    const session = closing ? undefined : here.get(session_id);
    if (session?.owner !== sender.user_id) return false;
    await session.transport.handleMessage(message, { authInfo: asAuthInfo(sender) });
    return true;
  }
  const stops = [keepInStore(runtime, here), answerPosts(relay, take)];

  async function open(request: FastifyRequest, reply: FastifyReply, toolsets: Toolsets): Promise<void> {
    const { raw } = reply;
    const transport = new SSEServerTransport(MESSAGE_PATH, raw);
    const session_id = transport.sessionId;
    const owner = ownerOf(runtime, request);
    const state = { ...stateOf(runtime, request, 'sse', toolsets), hub: relay.member_id, hub_key: relay.public_key };
    const origin = originOfSession({ session_id, owner, state }, 'sse');
    const reader = principalOf(senderOfRequest(runtime, request), undefined);
    const server = makeServer(runtime, {
      ...{ origin, toolsets, reader: () => reader },
      announce: 'legacy',
      // The server ends with the stream.
      connected: () => true,
    });
    if (!here.add({ session_id, owner, transport, close: () => server.close() })) {
      return refuseRpc(request, reply, 503, RPC.refused, 'Too many event streams are open. Close one, or wait.');
    }
    // Before the client learns its name, so that every hub knows it as soon as the client may use it.
    await mcpSessions.create({ session_id, owner, state }).catch((error: unknown) => {
      here.end(session_id);
      throw error;
    });
    raw.once('close', here.use(session_id));
    raw.once('close', () => {
      if (!here.peek(session_id)) return;
      here.end(session_id);
      void forget(session_id);
    });
    keepStreamAlive(reply);
    reply.hijack();
    copyHeaders(reply);
    await server.connect(transport as Transport);
  }

  async function forget(session_id: string): Promise<void> {
    try {
      await mcpSessions.remove(session_id);
    } catch (error) {
      log.warn({ err: error }, 'the end of an event stream could not be noted; its session expires by itself');
    }
  }

  async function receive(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { sessionId } = request.query as { sessionId?: unknown };
    const session_id = typeof sessionId === 'string' ? sessionId : '';
    if (!isMessage(request.body))
      return refuseRpc(request, reply, 400, RPC.invalid, 'The body is not a JSON-RPC message.');
    const sender = senderOfRequest(runtime, request);
    const handed = await handOver({ session_id, sender, message: request.body });
    if (handed === 'taken') return void (await reply.code(202).type('text/plain').send('Accepted'));
    if (handed === 'unknown')
      return refuseRpc(request, reply, 404, RPC.no_session, 'Session not found: open the event stream at /sse first.');
    return refuseRpc(request, reply, 503, RPC.refused, `${SILENT.message} ${SILENT.hint}`, SILENT);
  }

  async function handOver(post: SsePost): Promise<HandedOver> {
    if (!here.peek(post.session_id)) return handToHub(runtime, clock, post);
    return (await take(post)) ? 'taken' : 'unknown';
  }

  return {
    message_path: MESSAGE_PATH,
    open,
    receive,
    async close() {
      // From now on nothing is taken whose answer would find no stream.
      closing = true;
      if (here.size > 0) await Promise.race([runtime.executor.drained(), pause(LAST_ANSWERS_MS)]);
      await new Promise(setImmediate);
      for (const stop of stops) stop();
      const ids = here.ids();
      await here.closeAll();
      await Promise.all(ids.map(forget));
    },
  };
}

const SILENT: ErrorBody = {
  code: 'unavailable',
  message: 'The hub that holds the event stream did not answer in time; whether it took the message is not known.',
  hint: 'Open the event stream again, and look before repeating what changes something.',
};

function isMessage(body: unknown): boolean {
  try {
    parseJSONRPCMessage(body);
    return true;
  } catch {
    return false;
  }
}
