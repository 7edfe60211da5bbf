// An MCP session as it is kept: from the request that began it, and back to what a server instance needs.
import type { FastifyRequest } from 'fastify';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { Transport } from '../../kernel/operation.ts';
import { powerless, principalOf } from '../mcp/sender.ts';
import type { CallOrigin } from '../mcp/sessions.ts';
import { createSubscriptions, type SharedSubscriptions } from '../mcp/subscriptions.ts';
import type { Toolsets } from '../mcp/toolsets.ts';
import type { McpSessionRecord, McpSessionState, Runtime } from '../runtime.ts';
import { originOf, senderOfRequest } from './callers.ts';
import { tellHubs } from './session-events.ts';

/** Whose session it is: another user's is as good as none, and its name must tell nothing. */
export function ownerOf(runtime: Runtime, request: FastifyRequest): string {
  return senderOfRequest(runtime, request).user_id;
}

export function stateOf(
  runtime: Runtime,
  request: FastifyRequest,
  kind: McpSessionState['kind'],
  toolsets: Toolsets,
): McpSessionState {
  const { agent_id, session_name, project } = originOf(runtime, request, 'http');
  return {
    kind,
    subscriptions: [],
    ...(toolsets === undefined ? {} : { toolsets: [...toolsets] }),
    ...(agent_id === undefined ? {} : { agent_id }),
    ...(session_name === undefined ? {} : { session_name }),
    ...(project === undefined ? {} : { project }),
  };
}

/**
 * What of a handshake has to be kept to make it again: without what only people look at, such as icons. Throws
 * `limit_exceeded` where that is still too much.
 */
export function keptHandshake(params: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { protocolVersion, capabilities, clientInfo } = params;
  const { name, version } = clientInfo as { name: unknown; version: unknown };
  const kept = { protocolVersion, capabilities, clientInfo: { name, version } };
  if (Buffer.byteLength(JSON.stringify(kept)) <= limits.metadata_size_max_bytes) return kept;
  throw failure(
    'limit_exceeded',
    `What the client says of itself is larger than ${limits.metadata_size_max_bytes} bytes.`,
    'Send shorter clientInfo and capabilities.',
  );
}

/**
 * The same on every hub: the agent's session is told by the transport's, not by the connection or its hub. Who calls is
 * told by each message's own credential (sender.ts): a session outlives the one that began it.
 */
export function originOfSession(
  { session_id, owner, state }: Pick<McpSessionRecord, 'session_id' | 'owner' | 'state'>,
  transport: Transport,
): CallOrigin {
  const { agent_id, session_name, project } = state;
  const nobody = powerless(owner);
  return {
    transport,
    principalFor: (agent) => principalOf(nobody, agent),
    connection_id: session_id,
    ...(agent_id === undefined ? {} : { agent_id }),
    ...(session_name === undefined ? {} : { session_name }),
    ...(project === undefined ? {} : { project }),
  };
}

export function toolsetsOf({ toolsets }: McpSessionState): Toolsets {
  return toolsets === undefined ? undefined : new Set(toolsets);
}

/** Subscriptions that are kept with the session and told to the hub that holds its stream. */
export function subscriptionsOf(runtime: Runtime, state: McpSessionState, session_id: string): SharedSubscriptions {
  const keep = async (type: 'subscribed' | 'unsubscribed', uri: string): Promise<void> => {
    await runtime.mcpSessions.change(session_id, (now) => {
      const others = now.subscriptions.filter((known) => known !== uri);
      return { ...now, subscriptions: type === 'subscribed' ? [...others, uri] : others };
    });
    await tellHubs(runtime.relay, { type, session_id, uri });
  };
  return createSubscriptions(state.subscriptions, {
    added: (uri) => keep('subscribed', uri),
    removed: (uri) => keep('unsubscribed', uri),
  });
}
