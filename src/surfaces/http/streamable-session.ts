// One MCP session over Streamable HTTP on this hub: its server and transport, new or as another hub left it.
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { toWebRequest } from '@modelcontextprotocol/node';
import { type JSONRPCMessage, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { limits } from '../../kernel/limits.ts';
import type { Principal } from '../../kernel/operation.ts';
import { asAuthInfo, principalOf } from '../mcp/sender.ts';
import { makeServer } from '../mcp/server.ts';
import type { SharedSubscriptions } from '../mcp/subscriptions.ts';
import type { McpSessionRecord, McpSessionState, Runtime } from '../runtime.ts';
import { senderOfRequest } from './callers.ts';
import type { McpSession } from './mcp-sessions.ts';
import { asSdkRequest, copyHeaders, leaveConnectionToNode } from './rpc-replies.ts';
import { originOfSession, subscriptionsOf, toolsetsOf } from './session-state.ts';

export interface StreamableSession extends McpSession {
  readonly subscriptions: SharedSubscriptions;
  /** True once the client has shaken hands. */
  isOpen(): boolean;
  serve(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Takes a message as if the client had sent it here. */
  take(message: JSONRPCMessage): void;
}

/** `begun`: another hub made the session, and the client goes on with it here. */
export async function openStreamable(
  runtime: Runtime,
  record: Pick<McpSessionRecord, 'session_id' | 'owner' | 'state'>,
  { begun }: { readonly begun: boolean },
): Promise<StreamableSession> {
  const { session_id, owner, state } = record;
  /** Whoever holds the stream on which news are sent. */
  let reader: Principal | undefined;
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => session_id,
    keepAliveMs: limits.sse_keep_alive_ms,
  });
  const subscriptions = subscriptionsOf(runtime, state, session_id);
  const server = makeServer(runtime, {
    origin: originOfSession(record, 'http'),
    toolsets: toolsetsOf(state),
    announce: 'legacy',
    subscriptions,
    reader: () => reader,
    connected: () => reader !== undefined,
  });
  await server.connect(transport);
  if (begun) await repeatHandshake(transport, session_id, state.initialize);

  return {
    session_id,
    owner,
    subscriptions,
    isOpen: () => transport.sessionId !== undefined,
    close: () => server.close(),
    take: (message) => transport.onmessage?.(message),
    async serve(request, reply) {
      const { raw, body } = request;
      const asked = await toWebRequest(asSdkRequest(raw), body);
      const sender = senderOfRequest(runtime, request);
      const parsed = body === undefined ? {} : { parsedBody: body };
      const response = await transport.handleRequest(asked, { ...parsed, authInfo: asAuthInfo(sender) });
      if (raw.method === 'GET' && response.ok) {
        const mine = principalOf(sender, undefined);
        reader = mine;
        reply.raw.once('close', () => {
          if (reader === mine) reader = undefined;
        });
      }
      reply.hijack();
      copyHeaders(reply);
      await sendResponse(response, reply.raw, { head_first: raw.method === 'GET' });
    },
  };
}

/**
 * Writes a response of the SDK, whose own adapter notices that the client is gone with the next event only: until then a
 * client that comes back would be refused its stream. `head_first`: a stream that may stay quiet says at once that it is
 * open. The answer to a call does not: where this process dies, a client that has no head yet learns it at once, while
 * one with half a stream waits until its own time-out.
 */
async function sendResponse(
  response: Response,
  raw: ServerResponse,
  { head_first }: { readonly head_first: boolean },
): Promise<void> {
  const { status, headers, body } = leaveConnectionToNode(response);
  raw.writeHead(status, Object.fromEntries(headers));
  if (head_first) raw.flushHeaders();
  if (body === null) {
    raw.end();
    return;
  }
  // Fails where the client went away, which ends the stream at its source too.
  await pipeline(Readable.fromWeb(body as ReadableStream), raw).catch(() => undefined);
}

/**
 * The handshake the client made at another hub, made again within this process; its answer is dropped, since the client
 * has it. The SDK offers no other way to bring a server and its transport into the state that follows it.
 */
async function repeatHandshake(
  transport: WebStandardStreamableHTTPServerTransport,
  session_id: string,
  params: McpSessionState['initialize'],
): Promise<void> {
  const send = (message: object, headers: Readonly<Record<string, string>>): Promise<Response> => {
    const all = { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers };
    const request = new Request('http://localhost/mcp', { method: 'POST', headers: all });
    return transport.handleRequest(request, { parsedBody: { jsonrpc: '2.0', ...message } });
  };
  const answer = await send({ id: 'handshake', method: 'initialize', params }, {});
  const text = await answer.text();
  if (!answer.ok || !text.includes('"result"')) throw new Error(`A session could not be gone on with: ${text}`);
  await send({ method: 'notifications/initialized' }, { 'mcp-session-id': session_id });
}
