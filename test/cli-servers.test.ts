// Servers started from the command line: one hub a data directory, found by commands and stdio servers, ended in order.
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cliPath, ended, ensureBuilt, makePlace, node24, type Place } from './cli-binary.ts';

let place: Place;

beforeAll(ensureBuilt);
beforeEach(() => {
  place = makePlace();
});
afterEach(() => place.remove());

function hubFile(): string {
  return join(place.data_dir, 'hub.json');
}

describe('the hub', () => {
  it('writes hub.json while it runs and takes it away', async () => {
    const hub = await place.serve(['serve']);
    const record = JSON.parse(readFileSync(hubFile(), 'utf8'));
    expect(record).toMatchObject({ pid: hub.child.pid, url: hub.listening.url });
    const health = await fetch(`${record.url}/health`);
    expect(await health.json()).toMatchObject({ machine_id: record.machine_id, version: record.version });
    expect(await hub.stop('SIGTERM')).toMatchObject({ code: 0, signal: null });
    expect(existsSync(hubFile())).toBe(false);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with 0 on %s and keeps what it acknowledged', async (signal) => {
    const hub = await place.serve(['up']);
    const stored = await fetch(`${hub.listening.url}/api/v1/operations/store_memory`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ content: `acknowledged before ${signal}` }),
    });
    expect(stored.ok).toBe(true);
    expect(await hub.stop(signal)).toMatchObject({ code: 0 });
    expect((await place.run(['search', 'acknowledged'])).stdout).toContain(`acknowledged before ${signal}`);
  });

  it('refuses a second hub on the same data directory, and says which one runs', async () => {
    const hub = await place.serve(['serve']);
    const second = await place.run(['serve']);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain(`process ${hub.child.pid}`);
    expect(JSON.parse(readFileSync(hubFile(), 'utf8'))).toMatchObject({ pid: hub.child.pid });
  });

  it('takes the place of a hub that was killed; commands do without it meanwhile', async () => {
    const killed = await place.serve(['serve']);
    await killed.stop('SIGKILL');
    expect(existsSync(hubFile())).toBe(true);
    expect(await place.run(['store', 'stored beside a dead hub'])).toMatchObject({ code: 0 });
    expect((await place.run(['doctor'])).stdout).toContain('is left over');
    const next = await place.serve(['serve']);
    expect(JSON.parse(readFileSync(hubFile(), 'utf8'))).toMatchObject({ pid: next.child.pid });
  });

  it('says who holds the port', async () => {
    const other = createServer((_request, response) => response.end('hello'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const ran = await place.run(['serve', '--port', String(port)]);
      expect(ran).toMatchObject({ code: 5, stdout: '' });
      expect(ran.stderr).toBe(
        `error: Port 127.0.0.1:${port} is in use by another program.\nhint: Stop it, or choose another port: HAIVEMIND_PORT=${port + 10}.\n`,
      );
      expect(existsSync(hubFile())).toBe(false);
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it('serves synchronisation alone', async () => {
    const sync = await place.serve(['sync']);
    const status = await fetch(`${sync.listening.sync_url}/api/status`);
    expect(await status.json()).toMatchObject({ machine_id: expect.any(String) });
    expect(existsSync(hubFile())).toBe(false);
  });
});

describe('mcp over stdio', () => {
  const messages = [
    {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '0' } },
    },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} },
    {
      jsonrpc: '2.0',
      id: 3,
      method: 'tools/call',
      params: { name: 'store_memory', arguments: { content: 'stored over stdio' } },
    },
  ];
  const input = `${messages.map((message) => JSON.stringify(message)).join('\n')}\n`;

  it.each([{ hub: false }, { hub: true }])('answers and ends when stdin closes, hub running: $hub', async ({ hub }) => {
    if (hub) await place.serve(['serve']);
    const ran = await place.run(['mcp'], { input });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const answers = ran.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers.map((answer) => answer.id).sort()).toEqual([1, 2, 3]);
    expect(answers.find((answer) => answer.id === 3).result.isError).not.toBe(true);
    expect((await place.run(['search', 'stdio'])).stdout).toContain('stored over stdio');
  });

  it.each([{ hub: false }, { hub: true }])(
    'ends on a signal while stdin stays open, hub running: $hub',
    async ({ hub }) => {
      if (hub) await place.serve(['serve']);
      const child = place.start(['mcp']);
      const end = ended(child);
      child.stdin?.write(input);
      await new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
      child.kill('SIGTERM');
      expect(await end).toMatchObject({ code: 0, signal: null });
    },
  );

  it('refuses unknown words and toolsets', async () => {
    expect(await place.run(['mcp', '--nonsense'])).toMatchObject({ code: 2, stdout: '' });
    const ran = await place.run(['mcp', '--toolsets', 'nonsense'], { input });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toContain('toolset');
  });
});

describe('welcome', () => {
  it('stores and finds a first memory, then says how to connect; a second start uses the hub that runs', async () => {
    const first = place.start(['up', '--welcome']);
    const end = ended(first);
    let text = '';
    await new Promise<void>((resolve) => {
      first.stdout?.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('Other clients')) resolve();
      });
      void end.then(() => resolve());
    });
    expect(text).toContain(
      `claude mcp add haivemind -e HAIVEMIND_DATA_DIR=${place.data_dir} -- ${node24} ${cliPath} mcp`,
    );
    expect(text).toMatch(/claude mcp add --transport http haivemind http:\/\/127\.0\.0\.1:\d+\/mcp/);
    const stored = /stored (mem_\w+)/.exec(text)?.[1];
    const again = await place.run(['up', '--welcome']);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('already runs');
    expect(again.stdout).toContain(`stored ${stored}`);
    first.kill('SIGINT');
    expect(await end).toMatchObject({ code: 0 });
    const listed = JSON.parse((await place.run(['search', '--tags', 'self-check', '--json'])).stdout);
    expect(Object.values(listed).find((value) => Array.isArray(value))).toHaveLength(1);
  });
});
