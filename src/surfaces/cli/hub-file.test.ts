// One hub per data directory, found while it lives and replaced once it is gone.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimHub, type HubRecord, hubFile, probeHub, readHubFile } from './hub-file.ts';

let directory: string;
const servers: Server[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'haivemind-hub-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(directory, { recursive: true, force: true });
});

/** Something that answers /health/live, or that only accepts connections. */
async function listen(answer: unknown): Promise<string> {
  const server = createServer((_request, response) => {
    if (answer !== undefined) response.end(JSON.stringify(answer));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function record(url: string, changes: Partial<HubRecord> = {}): HubRecord {
  return {
    pid: process.pid,
    url,
    socket: join(directory, 'hub.sock'),
    version: '1.0.0',
    machine_id: 'm1',
    hub_id: 'h1',
    owner_key: 'k1',
    store: '/data',
    started_at: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
}

/** The id of a process that has ended. */
const GONE_PID = 2 ** 22 - 1;

describe('probeHub', () => {
  it('finds no hub where there is no file', async () => {
    expect(await probeHub(directory)).toEqual({ state: 'none' });
  });

  it('finds a hub that answers with its own id', async () => {
    const hub = record(await listen({ hub_id: 'h1' }));
    writeFileSync(hubFile(directory), JSON.stringify(hub));
    expect(await probeHub(directory)).toEqual({ state: 'alive', hub });
  });

  it.each([
    ['a file that is no record', '{"pid":', 'not a hub record'],
    ['a record without fields', '{}', 'not a hub record'],
  ])('calls %s stale', async (_, text, detail) => {
    writeFileSync(hubFile(directory), text);
    expect(await probeHub(directory)).toMatchObject({ state: 'stale', detail: expect.stringContaining(detail) });
  });

  it('calls a hub stale whose process is gone, whose port is closed or taken by another', async () => {
    const other = await listen({ hub_id: 'h2' });
    for (const hub of [record(other, { pid: GONE_PID }), record('http://127.0.0.1:1'), record(other)]) {
      writeFileSync(hubFile(directory), JSON.stringify(hub));
      expect((await probeHub(directory)).state).toBe('stale');
    }
  });

  it('tells a hub that hangs from one that is gone', async () => {
    writeFileSync(hubFile(directory), JSON.stringify(record(await listen(undefined))));
    expect((await probeHub(directory)).state).toBe('silent');
  });
});

describe('claimHub', () => {
  it('writes the record whole, for this user alone, and takes it away at the end', async () => {
    const hub = record(await listen({ hub_id: 'h1' }));
    const resign = await claimHub(directory, hub);
    expect(readHubFile(directory)).toEqual(hub);
    resign();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('refuses a second hub and leaves the first one its file', async () => {
    const hub = record(await listen({ hub_id: 'h1' }));
    await claimHub(directory, hub);
    const second = record('http://127.0.0.1:2', { started_at: '2026-01-02T00:00:00.000Z' });
    await expect(claimHub(directory, second)).rejects.toMatchObject({ code: 'conflict' });
    expect(readHubFile(directory)).toEqual(hub);
    expect(readdirSync(directory)).toEqual(['hub.json']);
  });

  it('replaces what a killed hub left', async () => {
    writeFileSync(hubFile(directory), JSON.stringify(record('http://127.0.0.1:1', { pid: GONE_PID })));
    const hub = record(await listen({ hub_id: 'h1' }), { started_at: '2026-01-03T00:00:00.000Z' });
    await claimHub(directory, hub);
    expect(readHubFile(directory)).toEqual(hub);
    expect(readdirSync(directory)).toEqual(['hub.json']);
  });

  it('lets exactly one of several that start at once win', async () => {
    const urls = await Promise.all(Array.from({ length: 5 }, () => listen({ hub_id: 'h1' })));
    const hubs = urls.map((url, index) => record(url, { started_at: `2026-02-0${index + 1}T00:00:00.000Z` }));
    const results = await Promise.allSettled(hubs.map((hub) => claimHub(directory, hub)));
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(1);
  });

  it('does not take away the file of a successor', async () => {
    const resign = await claimHub(directory, record(await listen({ hub_id: 'h1' })));
    const successor = record('http://127.0.0.1:3', { started_at: '2026-03-01T00:00:00.000Z' });
    writeFileSync(hubFile(directory), JSON.stringify(successor));
    resign();
    expect(JSON.parse(readFileSync(hubFile(directory), 'utf8'))).toEqual(successor);
  });
});
