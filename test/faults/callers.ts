// Callers of a cluster over REST and over MCP: each call goes to the hub whose turn it is, and every failure is noted.
import type { Cluster, Hub } from './cluster.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface Failed {
  /** The code of the error, or `cut` where the connection was refused or ended. */
  readonly code: string;
  readonly message: string;
  readonly tool: string;
  readonly hub: Hub;
  readonly began_at_ms: number;
  readonly ended_at_ms: number;
}

export type Answer = { readonly output: Fields } | { readonly failed: Failed };
export type Call = (tool: string, input: Fields) => Promise<Answer>;

export const restCaller =
  (cluster: Pick<Cluster, 'next'>): Call =>
  (tool, input) =>
    attempt(cluster, tool, (hub) => restRequest(hub, tool, input));

const ROUTES: Readonly<Record<string, readonly [method: string, path: string]>> = {
  store_memory: ['POST', '/memories'],
  search_memories: ['GET', '/memories'],
  update_memory: ['PATCH', '/memories/{memory_id}'],
  delete_memory: ['DELETE', '/memories/{memory_id}'],
  retrieve_memory: ['GET', '/memories/{memory_id}'],
};

async function restRequest(hub: Hub, tool: string, input: Fields): Promise<Fields> {
  const [method, template] = ROUTES[tool] ?? [];
  if (!method || !template) throw new Error(`no REST route known for ${tool}`);
  const { memory_id, ...rest } = input;
  const path = template.replace('{memory_id}', String(memory_id));
  const withBody = method === 'POST' || method === 'PATCH';
  const query = withBody || method === 'DELETE' ? '' : `?${new URLSearchParams(rest as Record<string, string>)}`;
  const answer = await fetch(`${hub.url}/api/v1${path}${query}`, {
    method,
    ...(withBody ? { body: JSON.stringify(rest), headers: { 'content-type': 'application/json' } } : {}),
  });
  const output = await jsonOf(await answer.text());
  if (!answer.ok) throw new Refused(output);
  return output;
}

/** One MCP session, begun at one hub and used at all. */
export function mcpCaller(cluster: Pick<Cluster, 'next'>, name: string): Call {
  let session_id: string | undefined;
  let last_id = 0;
  const send = async (hub: Hub, method: string, params: Fields) => {
    const answer = await fetch(`${hub.url}/mcp`, {
      method: 'POST',
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        ...(session_id === undefined ? {} : { 'mcp-session-id': session_id, 'mcp-protocol-version': '2025-06-18' }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++last_id, method, params }),
    });
    const reply = replyIn(await answer.text());
    if (reply.error) throw new Refused({ ...reply.error, code: `rpc ${reply.error.code}`, ...reply.error.data });
    return { session: answer.headers.get('mcp-session-id'), result: reply.result ?? {} };
  };
  const initialize = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name, version: '1' } };
  return (tool, input) =>
    attempt(cluster, tool, async (hub) => {
      session_id ??= (await send(hub, 'initialize', initialize)).session ?? undefined;
      const { result } = await send(hub, 'tools/call', { name: tool, arguments: input });
      if (result.isError) throw new Refused((result.structuredContent ?? {}) as Fields);
      return result.structuredContent as Fields;
    });
}

interface Reply {
  readonly result?: Fields;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Fields };
}

/** The reply in a body of JSON or of server-sent events; an event stream that ends without one was cut. */
function replyIn(text: string): Reply {
  if (text.startsWith('{')) return jsonOf(text);
  for (const line of text.split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const message = jsonOf(line.slice('data: '.length));
    if ('result' in message || 'error' in message) return message;
  }
  throw new TypeError('the stream ended without an answer');
}

function jsonOf(text: string): Fields {
  try {
    return JSON.parse(text) as Fields;
  } catch {
    throw new TypeError('the answer was cut');
  }
}

/** What a hub said no with. */
class Refused extends Error {
  readonly body: Fields;
  constructor(body: Fields) {
    super(String(body.message));
    this.body = body;
  }
}

async function attempt(
  cluster: Pick<Cluster, 'next'>,
  tool: string,
  request: (hub: Hub) => Promise<Fields>,
): Promise<Answer> {
  const hub = cluster.next();
  const began_at_ms = performance.now();
  const failed = (code: string, message: string): Answer => ({
    failed: { code, message, tool, hub, began_at_ms, ended_at_ms: performance.now() },
  });
  try {
    return { output: await request(hub) };
  } catch (error) {
    if (error instanceof Refused) return failed(String(error.body.code), JSON.stringify(error.body));
    if (error instanceof TypeError) return failed('cut', String(error.cause ?? error.message));
    throw error;
  }
}
