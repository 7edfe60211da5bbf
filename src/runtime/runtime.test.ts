// What surrounds the operations: health, metrics, resources, change events, logs and closing.
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openApp, refusalOf } from '../../test/support/open-app.ts';
import { onPostgres } from '../../test/support/test-store.ts';
import { INSTRUCTIONS } from './instructions.ts';
import { createLog } from './log.ts';
import { memoryUri } from './resource-uris.ts';

const LISTS = ['haivemind://tasks', 'haivemind://agents'];
const ADA = { user_id: 'ada', agent_id: 'tester', machine_id: 'test-machine' };

test('health checks the store, the disk, embedding and the queue', async () => {
  await using app = await openApp({ role: 'stdio' });
  const report = await app.runtime.health();
  expect(report).toMatchObject({ machine_id: 'test-machine', version: app.runtime.version });
  expect(report.checks.map((check) => check.name)).toEqual([
    'store',
    ...(onPostgres ? [] : ['disk']),
    'embedding',
    'vectors',
    'coordination',
  ]);
  expect(report.checks[0]).toMatchObject({ status: 'ok' });
  for (const check of report.checks) if (check.status !== 'ok') expect(check.fix).toBeTruthy();
});

test('a hub counts calls, errors and sizes', async () => {
  await using app = await openApp({ role: 'server' });
  await app.store('Counted');
  await app.refusal('retrieve_memory', { memory_id: 'mem_none' });
  const text = await app.runtime.metrics();
  expect(text).toContain('haivemind_operations_total{operation="store_memory",transport="cli"} 1');
  expect(text).toContain('haivemind_operation_errors_total{operation="retrieve_memory",code="not_found"} 1');
  expect(text).toMatch(/haivemind_operation_duration_seconds_count\{operation="store_memory"\} 1/);
  expect(text).toMatch(/^haivemind_memories 1$/m);
  expect(text).toMatch(/^haivemind_change_sequence 1$/m);
});

test('resources are memories that the principal may see', async () => {
  await using app = await openApp();
  const id = await app.store('Readable by its owner');
  const { text, mime_type } = await app.runtime.readResource(memoryUri(id), ADA);
  expect(mime_type).toBe('application/json');
  expect(JSON.parse(text)).toMatchObject({ memory_id: id, content: 'Readable by its owner' });
  expect((await app.runtime.listResources?.(ADA))?.map(({ uri }) => uri)).toEqual([...LISTS, memoryUri(id)]);
  const bob = { ...ADA, user_id: 'bob' };
  expect((await app.runtime.listResources?.(bob))?.map(({ uri }) => uri)).toEqual(LISTS);
  for (const uri of [
    memoryUri(id),
    'haivemind://memory/none',
    'haivemind://other/x',
    'file:///etc/passwd',
    'haivemind://memory/%zz',
  ])
    expect((await refusalOf(app.runtime.readResource(uri, bob))).code).toMatch(/^(not_found|invalid_input)$/);
});

test('every change of a memory is announced by its URI, also of the one it replaced', async () => {
  await using app = await openApp();
  const seen: string[] = [];
  const stop = app.runtime.onResourceChanged((uri) => seen.push(uri));
  const taken = async (call: Promise<unknown>) => {
    await call;
    return new Set(seen.splice(0));
  };
  const old = await app.store('Old');
  seen.length = 0;
  const id = await app.store('New', { supersedes: old });
  expect(new Set(seen.splice(0))).toEqual(new Set([memoryUri(old), memoryUri(id)]));
  expect(await taken(app.call('update_memory', { memory_id: id, tags: ['x'] }))).toEqual(new Set([memoryUri(id)]));
  expect(await taken(app.call('update_memory', { memory_id: id, tags: ['x'] }))).toEqual(new Set());
  expect(await taken(app.call('delete_memory', { memory_id: id }))).toEqual(new Set([memoryUri(id)]));
  stop();
  expect(await taken(app.call('recover_deleted_memory', { memory_id: id }))).toEqual(new Set());
});

test('the status for peers tells what this machine has', async () => {
  await using app = await openApp();
  await app.store('One');
  await app.store('Two');
  expect(await app.runtime.syncStatus()).toMatchObject({ version_vector: { 'test-machine': 2 }, peers: [] });
});

test('closing waits for calls in flight and keeps what they stored', async () => {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-close-'));
  const app = await openApp({ data_dir });
  const storing = Promise.all(Array.from({ length: 20 }, (_, i) => app.store(`In flight ${i}`)));
  await app.runtime.close();
  expect(await storing).toHaveLength(20);
  {
    await using again = await openApp({ data_dir });
    expect((await again.call('get_memory_stats')).total).toBe(20);
  }
  rmSync(data_dir, { recursive: true });
});

test('logs are JSON lines without what is named like a secret', () => {
  const folder = mkdtempSync(join(tmpdir(), 'haivemind-log-'));
  const fd = openSync(join(folder, 'log'), 'w');
  const log = createLog('info', { machine_id: 'm' }, fd);
  const secret = ['never', 'printed'].join('-');
  log.info({ token: secret, nested: { password: secret }, headers: { authorization: secret } }, 'hello');
  createLog('error', {}, fd).info({}, 'too quiet');
  closeSync(fd);
  const text = readFileSync(join(folder, 'log'), 'utf8');
  expect(text).not.toContain(secret);
  expect(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ level: 'info', machine_id: 'm', msg: 'hello', token: '[redacted]' }]);
  rmSync(folder, { recursive: true });
});

test('instructions fit what clients read', () => {
  expect(INSTRUCTIONS.length).toBeLessThanOrEqual(4_096);
});
