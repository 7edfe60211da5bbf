// Who calls, and in which conversation: the same answer on every call, also where the transport keeps no state.
import { createHash } from 'node:crypto';
import { failure } from '../../kernel/errors.ts';
import { ID_PATTERN } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { Principal, SessionHandle, Transport } from '../../kernel/operation.ts';
import { isOneLine } from '../../kernel/text-safety.ts';

/** `_meta` key by which a client of a stateless transport names its session; every answer carries it. */
export const SESSION_META_KEY = 'haivemind/session';

/** What a transport knows of a caller before it reads a message. */
export interface CallOrigin {
  readonly transport: Transport;
  /** Makes the principal of the caller; the agent's name comes from its client or its transport. */
  readonly principalFor: (agent_id: string | undefined) => Principal;
  /** Name given by the transport (header, environment); wins over the client's own name. */
  readonly agent_id?: string;
  /** Session named by a header. */
  readonly session_name?: string;
  /** Connection or transport session, where the transport has one. */
  readonly connection_id?: string;
  /** Tells apart callers of a transport without connections. */
  readonly remote_address?: string;
  readonly project?: string;
}

export interface ClientInfo {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
}

export interface Caller {
  readonly principal: Principal;
  readonly session: SessionHandle;
  /** Name of the session to send back to the client. */
  readonly session_name: string;
}

/**
 * Finds the session: named in the message, named in a header, the connection, else one per principal, client and
 * address. The key hashes the user in, so that a name never reaches another user's session.
 * Throws `invalid_input` for a name that cannot be one.
 */
export function resolveCaller(
  origin: CallOrigin,
  meta: Readonly<Record<string, unknown>> | undefined,
  client: ClientInfo,
): Caller {
  const principal = origin.principalFor(origin.agent_id ?? agentNameOf(client.name));
  const named = checkedName(meta?.[SESSION_META_KEY] ?? origin.session_name);
  const known = named ?? origin.connection_id;
  const session_name = known ?? derivedName(principal, client, origin);
  const session: SessionHandle = {
    key: `ses_${digest([principal.user_id, session_name])}`,
    transport: origin.transport,
    ...(known === undefined ? { derived: true } : {}),
    ...(client.name ? { client_name: client.name.slice(0, limits.name_length_max_chars) } : {}),
    ...(origin.project ? { project: origin.project } : {}),
  };
  return { principal, session, session_name };
}

/** A client's name as an agent id: `Visual Studio Code` becomes `visual-studio-code`. */
export function agentNameOf(client_name: string | undefined): string | undefined {
  const name = (client_name ?? '')
    .toLowerCase()
    // A bridge in between adds its own name: `claude-code (via mcp-remote 0.15.1)`.
    .replace(/\s*\(via .*\)\s*$/, '')
    .replace(/[^a-z0-9._@/:-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, limits.id_length_max_chars);
  return ID_PATTERN.test(name) ? name : undefined;
}

function derivedName(principal: Principal, client: ClientInfo, origin: CallOrigin): string {
  return `auto_${digest([
    principal.user_id,
    principal.agent_id,
    principal.machine_id,
    client.name ?? '',
    client.version ?? '',
    origin.remote_address ?? '',
  ])}`;
}

function checkedName(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '' && value.length <= limits.id_length_max_chars && isOneLine(value))
    return value;
  throw failure(
    'invalid_input',
    `The session name is not one line of 1 to ${limits.id_length_max_chars} characters.`,
    `Send the ${SESSION_META_KEY} of an earlier answer, or leave it out.`,
  );
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22);
}
