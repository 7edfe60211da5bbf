// The one line each side of the hub's socket says before MCP begins. Loads nothing heavy: the proxy needs it.

export const HANDSHAKE_VERSION = 1;
export const HANDSHAKE_MAX_BYTES = 64 * 1024;

/** What a proxy says: on whose behalf it speaks. */
export interface HubHello {
  readonly cwd: string;
  readonly version: string;
  readonly agent_id?: string;
  readonly toolsets?: readonly string[];
}

export interface HubWelcome {
  readonly version: string;
  /** Tools that may be called again without harm when the answer got lost. */
  readonly repeatable?: readonly string[];
  /** Set where the hub will not serve this connection. */
  readonly error?: { readonly code: string; readonly message: string; readonly hint: string };
}

export function handshakeLine(fields: HubHello | HubWelcome): string {
  return `${JSON.stringify({ haivemind: HANDSHAKE_VERSION, ...fields })}\n`;
}

export function readHello(line: string): HubHello | undefined {
  const fields = readFields(line);
  if (!fields || typeof fields.cwd !== 'string' || typeof fields.version !== 'string') return undefined;
  const { cwd, version, agent_id, toolsets } = fields;
  return {
    cwd,
    version,
    ...(typeof agent_id === 'string' && agent_id !== '' ? { agent_id } : {}),
    ...(Array.isArray(toolsets) ? { toolsets: toolsets.filter((name) => typeof name === 'string') } : {}),
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
