// Imports through the public door: nothing twice, and a source that went on is followed.
import { expect, test } from 'vitest';
import { DAY_MS, openApp } from '../../../test/support/open-app.ts';
import { virtualClock } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import { createMemoryImport } from './import-service.ts';

const conversation = (...turns: string[]) => turns.join('\n');

test('importing the same conversation again adds nothing', async () => {
  await using app = await openApp();
  const conversation_text = conversation(
    'User: why do the pods restart?',
    'Assistant: the probe fails before the cache is warm',
  );
  const first = await app.call('import_conversation', { conversation_text, title: 'Pods' });
  const second = await app.call('import_conversation', { conversation_text, title: 'Pods' });
  expect(first).toMatchObject({ stored: 3, updated: 0, skipped: 0 });
  expect(second).toMatchObject({ stored: 0, updated: 0, skipped: 3 });
});

test('a memory follows a source that says more now, unless somebody edited it here', async () => {
  await using app = await openApp();
  const record = (id: string, content: string) => JSON.stringify({ memory_id: id, content });
  const load = async (...lines: string[]) => {
    const source = async function* () {
      yield Buffer.from(`${lines.join('\n')}\n`);
    };
    const signal = new AbortController().signal;
    let last: unknown;
    for await (const event of app.runtime.transfers.importFrom(
      source(),
      { ...app.runtime.localPrincipal('tester'), user_id: 'ada' },
      {
        signal,
        file_name: 'notes.jsonl',
      },
    ))
      last = event;
    return last;
  };
  await load(record('mem_a', 'the disk of db01 is full'), record('mem_b', 'the disk of db02 is full'));
  const found = await app.call('search_memories', { query: 'db02' });
  await app.call('update_memory', { memory_id: found.results[0].memory_id, content: 'the disk of db02 is fine again' });
  const again = await load(
    record('mem_a', 'the disk of db01 is full of WAL'),
    record('mem_b', 'the disk of db02 is full of logs'),
  );
  expect(again).toMatchObject({ type: 'done', stored: 0, updated: 1, skipped: 1 });
  expect((await app.call('search_memories', { query: 'WAL' })).results[0].content).toBe(
    'the disk of db01 is full of WAL',
  );
  expect((await app.call('search_memories', { query: 'db02' })).results[0].content).toBe(
    'the disk of db02 is fine again',
  );
});

test('an export imported elsewhere keeps what replaced what, when it was stored, and where it came from', async () => {
  await using from = await openApp();
  const ada = (app: typeof from) => ({ ...app.runtime.localPrincipal('tester'), user_id: 'ada' });
  const { signal } = new AbortController();
  const old = await from.store('Redis listens on 6379');
  await from.store('Redis listens on 6380 since the move', { supersedes: old, importance: 0.9 });
  await using to = await openApp();
  to.clock.advance(DAY_MS);
  const carry = async () => {
    const pieces = from.runtime.transfers.exportTo(ada(from), { format: 'jsonl', signal });
    const bytes = async function* () {
      for await (const piece of pieces) yield Buffer.from(piece);
    };
    let last: unknown;
    for await (const event of to.runtime.transfers.importFrom(bytes(), ada(to), { signal, file_name: 'all.jsonl' }))
      last = event;
    return last;
  };
  expect(await carry()).toMatchObject({ type: 'done', stored: 2, problems: 0 });
  expect(await carry()).toMatchObject({ type: 'done', stored: 0, updated: 0, skipped: 2, problems: 0 });
  const { results } = await to.call('search_memories', { query: 'Redis listens' });
  expect(results).toMatchObject([{ content: 'Redis listens on 6380 since the move', importance: 0.9 }]);
  expect(results[0].occurred_at).toBe(new Date(from.clock.now()).toISOString());
  const all = await to.call('search_memories', { query: '', include_superseded: true });
  expect(all.results).toHaveLength(2);
  expect(results[0].supersedes).toBe(all.results[1].memory_id);
  expect(results[0].source).toBe('import:agent');
});

test('a replacement is imported also where what it replaces was left behind', async () => {
  await using app = await openApp();
  const { signal } = new AbortController();
  const source = async function* () {
    yield Buffer.from(`${JSON.stringify({ memory_id: 'mem_b', content: 'Alone here', supersedes: 'mem_a' })}\n`);
  };
  let last: unknown;
  for await (const event of app.runtime.transfers.importFrom(source(), app.runtime.localPrincipal('tester'), {
    signal,
    file_name: 'one.jsonl',
  }))
    last = event;
  expect(last).toMatchObject({ type: 'done', stored: 1, problems: 0 });
});

test('a store that cannot be written ends an import: its items are not to blame', async () => {
  const full = failure('storage_full', 'The disk is full.', 'Free space.');
  const imports = createMemoryImport({
    store: { clock: virtualClock(), write: () => Promise.reject(full) } as never,
    redact: async (text) => ({ text, findings: [] }),
    vectors: { follow: () => {}, forget: () => {}, claimUntil: () => 0 },
    retention: [],
    changed: () => {},
  });
  const source = async function* () {
    yield '{"content":"one"}\n{"content":"two"}\n';
  };
  const { signal } = new AbortController();
  const caller = { principal: { user_id: 'ada', agent_id: 't', machine_id: 'm' }, project: undefined };
  const steps: string[] = [];
  const carried = async () => {
    for await (const step of imports.run({ source: source(), name: 'two.jsonl', signal }, caller))
      steps.push(step.type);
  };
  await expect(carried()).rejects.toBe(full);
  expect(steps).toEqual([]);
});
