// The one line each side of the hub's socket says before MCP begins. Loads nothing heavy: the proxy needs it.
import { randomUUID } from 'node:crypto';

export const HANDSHAKE_VERSION = 1;
export const HANDSHAKE_MAX_BYTES = 64 * 1024;

/** What a proxy says: on whose behalf it speaks. */
export interface HubHello {
  readonly cwd: string;
  readonly version: string;
  readonly agent_id?: string;
  readonly toolsets?: readonly string[];
  /** From newSessionName: the agent's session, the same for all connections of the process, to whichever hub. */
  readonly session_name?: string;
  /** It was served before, by another hub or by the process itself. */
  readonly resumed?: boolean;
}

export interface HubWelcome {
  readonly version: string;
  /** Tools that may be called again without harm when the answer got lost. */
  readonly repeatable?: readonly string[];
  /** Set where the hub will not serve this connection. */
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

const SESSION_NAME = /^stdio_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A name no other session has: what the process behind stdio calls its session for as long as it lives. */
export function newSessionName(): string {
  return `stdio_${randomUUID()}`;
}

export function handshakeLine(fields: HubHello | HubWelcome): string {
  return `${JSON.stringify({ haivemind: HANDSHAKE_VERSION, ...fields })}\n`;
}

export function readHello(line: string): HubHello | undefined {
  const fields = readFields(line);
  if (!fields || typeof fields.cwd !== 'string' || typeof fields.version !== 'string') return undefined;
  const { cwd, version, agent_id, toolsets, session_name, resumed } = fields;
  return {
    cwd,
    version,
    ...(typeof agent_id === 'string' && agent_id !== '' ? { agent_id } : {}),
    ...(Array.isArray(toolsets) ? { toolsets: toolsets.filter((name) => typeof name === 'string') } : {}),
    // Another name is as good as none: the connection gets a session of its own.
    ...(typeof session_name === 'string' && SESSION_NAME.test(session_name) ? { session_name } : {}),
    ...(resumed === true ? { resumed } : {}),
  };
}

export function readWelcome(line: string): HubWelcome | undefined {
  const fields = readFields(line);
  if (!fields || typeof fields.version !== 'string') return undefined;
  const { version, error, repeatable } = fields;
  return {
    version,
    ...(typeof error === 'object' && error !== null ? { error: error as NonNullable<HubWelcome['error']> } : {}),
    ...(Array.isArray(repeatable) ? { repeatable: repeatable.filter((name) => typeof name === 'string') } : {}),
  };
}

function readFields(line: string): Record<string, unknown> | undefined {
  try {
    const fields: unknown = JSON.parse(line);
    if (typeof fields !== 'object' || fields === null) return undefined;
    const known = fields as Record<string, unknown>;
    return known.haivemind === HANDSHAKE_VERSION ? known : undefined;
  } catch {
    return undefined;
  }
}
