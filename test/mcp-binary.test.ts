// The built command over stdio, beside a hub that is killed the hard way, and alone.
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cliPath, ensureBuilt, makePlace, node24, type Place } from './cli-binary.ts';

let place: Place;
const clients: Client[] = [];

beforeAll(ensureBuilt);
beforeEach(() => {
  place = makePlace();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await place.remove();
});

async function connect(mode: 'legacy' | 'modern', ...args: string[]): Promise<Client> {
  const transport = new StdioClientTransport({
    command: node24,
    args: [cliPath, 'mcp', ...args],
    env: place.env as Record<string, string>,
    cwd: place.home,
    stderr: 'ignore',
  });
  const versionNegotiation = { mode: mode === 'modern' ? { pin: '2026-07-28' as const } : ('legacy' as const) };
  const client = new Client({ name: 'binary-test', version: '1' }, { versionNegotiation });
  clients.push(client);
  await client.connect(transport);
  return client;
}

/** Repeats a call that a dying hub refused, as its error asks. */
async function store(client: Client, content: string): Promise<void> {
  await expect
    .poll(
      async () => {
        try {
          return (await client.callTool({ name: 'store_memory', arguments: { content } })).isError ?? false;
        } catch {
          return true;
        }
      },
      { timeout: 20_000 },
    )
    .toBe(false);
}

async function total(client: Client): Promise<unknown> {
  const found = await client.callTool({ name: 'search_memories', arguments: { query: '', limit: 50 } });
  return (found.structuredContent as { results: { content: string }[] }).results.map((row) => row.content).sort();
}

describe.each(['legacy', 'modern'] as const)('haivemind mcp, %s', (mode) => {
  it('stores and finds alone', async () => {
    const client = await connect(mode);
    await store(client, 'on its own');
    expect(await total(client)).toEqual(['on its own']);
  });

  it('goes on when its hub is killed and comes back, and when it stays away', async () => {
    const first = await place.serve(['serve']);
    const client = await connect(mode);
    await store(client, 'one');
    await first.stop('SIGKILL');
    const second = await place.serve(['serve']);
    await store(client, 'two');
    await second.stop('SIGKILL');
    await store(client, 'three');
    expect(await total(client)).toEqual(['one', 'three', 'two']);
  });
});

describe('haivemind mcp --toolsets', () => {
  it('narrows the list, with and without a hub', async () => {
    const names = async (): Promise<string[]> =>
      (await (await connect('legacy', '--toolsets', 'format')).listTools()).tools.map((tool) => tool.name);
    const alone = await names();
    expect(alone).toEqual(['get_memory_access_stats', 'get_format_guide', 'search_tools', 'run_tool']);
    await place.serve(['serve']);
    expect(await names()).toEqual(alone);
  });
});
