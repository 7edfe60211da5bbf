// Clients of the product as users have them: the MCP SDK's over stdio and HTTP, and plain HTTP for REST.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { cliEntry } from './place.ts';

export type Way = 'stdio, direct' | 'stdio, by hub' | 'HTTP /mcp' | 'REST';

export interface BenchClient {
  /** Calls a tool; rejects when it answers with an error. */
  call(tool: ToolName, input: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>;
  /** The server process this client started, if it did. */
  readonly pid: number | undefined;
  close(): Promise<void>;
}

export type ToolName = 'store_memory' | 'search_memories' | 'retrieve_memory' | 'get_recent_memories';

const VERSION = '2026-07-28';

/** `haivemind mcp` as a client starts it. Whether it proxies depends on a hub being there. */
export function stdioClient(env: Record<string, string>): Promise<BenchClient> {
  return mcpClient(
    new StdioClientTransport({ command: process.execPath, args: [cliEntry(), 'mcp'], env, stderr: 'inherit' }),
  );
}

/** Any stdio server, for the floor. */
export function stdioProgram(args: readonly string[]): Promise<BenchClient> {
  return mcpClient(new StdioClientTransport({ command: process.execPath, args: [...args] }));
}

/** MCP over Streamable HTTP. */
export function httpClient(url: string): Promise<BenchClient> {
  return mcpClient(new StreamableHTTPClientTransport(new URL('/mcp', url)));
}

async function mcpClient(transport: StdioClientTransport | StreamableHTTPClientTransport): Promise<BenchClient> {
  const client = new Client({ name: 'bench', version: '1.0.0' }, { versionNegotiation: { mode: { pin: VERSION } } });
  await client.connect(transport);
  await client.listTools();
  return {
    pid: transport instanceof StdioClientTransport ? (transport.pid ?? undefined) : undefined,
    async call(name, input) {
      const answer = await client.callTool({ name, arguments: { ...input } });
      if (answer.isError) throw new Error(`${name}: ${JSON.stringify(answer.content)}`);
      return (answer.structuredContent ?? {}) as Record<string, unknown>;
    },
    close: () => client.close(),
  };
}

const REST: Readonly<Record<ToolName, readonly ['GET' | 'POST', string]>> = {
  store_memory: ['POST', '/memories'],
  search_memories: ['GET', '/memories'],
  retrieve_memory: ['GET', '/memories/{memory_id}'],
  get_recent_memories: ['GET', '/memories/recent'],
};

/** REST with the fetch of Node. */
export function restClient(url: string): BenchClient {
  return {
    pid: undefined,
    async call(tool, input) {
      const [method, template] = REST[tool];
      const path = template.replace('{memory_id}', String(input.memory_id));
      const target = new URL(`/api/v1${path}`, url);
      const init: RequestInit = { method };
      if (method === 'POST') {
        init.headers = { 'content-type': 'application/json' };
        init.body = JSON.stringify(input);
      } else {
        for (const [key, value] of Object.entries(input)) {
          if (!template.includes(`{${key}}`)) target.searchParams.set(key, String(value));
        }
      }
      const answer = await fetch(target, init);
      const body = (await answer.json()) as Record<string, unknown>;
      if (!answer.ok) throw new Error(`${method} ${target.pathname}: ${answer.status} ${JSON.stringify(body)}`);
      return body;
    },
    close: async () => {},
  };
}
