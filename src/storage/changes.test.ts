// The change record, through everything that writes memories: one change a row, gapless, ordered, in the same transaction.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type App, DAY_MS, openApp } from '../../test/support/open-app.ts';
import { openTemporaryDatabase } from '../../test/support/temporary-database.ts';
import type { Database } from './database.ts';

type Step =
  | { readonly do: 'store' | 'supersede' | 'update' | 'undo' | 'delete' | 'destroy' | 'recover'; readonly on: number }
  | { readonly do: 'merge'; readonly on: number; readonly with: number }
  | { readonly do: 'wait' };

const on = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom('store', 'supersede', 'update', 'undo', 'delete', 'destroy', 'recover'), on }),
  fc.record({ do: fc.constant('merge'), on, with: on }),
  fc.record({ do: fc.constant('wait') }),
);

/** Runs a step; refusals are part of the game. */
async function take(app: App, ids: string[], one: Step, count: number): Promise<void> {
  const at = (i: number) => ids[i % Math.max(1, ids.length)] ?? 'mem_none';
  const calls: Record<Step['do'], () => Promise<unknown>> = {
    store: async () => void ids.push(await app.store(`Text ${count % 5}`)),
    supersede: async () =>
      void ids.push(await app.store(`Text ${count % 5} instead`, { supersedes: at('on' in one ? one.on : 0) })),
    update: () => app.call('update_memory', { memory_id: at('on' in one ? one.on : 0), content: `New ${count % 3}` }),
    undo: () => app.call('update_memory', { memory_id: at('on' in one ? one.on : 0), undo: true }),
    delete: () => app.call('delete_memory', { memory_id: at('on' in one ? one.on : 0) }),
    destroy: () => app.call('delete_memory', { memory_id: at('on' in one ? one.on : 0), hard_delete: true }),
    recover: () => app.call('recover_deleted_memory', { memory_id: at('on' in one ? one.on : 0) }),
    merge: () =>
      app.call('merge_duplicate_memories', {
        memory_id_1: at('on' in one ? one.on : 0),
        memory_id_2: at('with' in one ? one.with : 0),
      }),
    wait: async () => {
      app.clock.advance(16 * DAY_MS);
      await app.call('cleanup_expired_deletions');
    },
  };
  await calls[one.do]().catch((error: { code?: string }) => {
    if (!['not_found', 'conflict', 'invalid_input'].includes(error.code ?? '')) throw error;
  });
}

describe('whatever happens to memories', () => {
  test('each write of a row is one change: gapless, later than the one before, with the rows vector', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        await using app = await openApp();
        const ids: string[] = [];
        for (const [count, one] of steps.entries()) {
          await take(app, ids, one, count);
          await checkRecord(app);
        }
      }),
      { numRuns: 25 },
    );
  });
});

async function checkRecord(app: App): Promise<void> {
  const changes = await app.rows('select * from changes order by seq');
  const last = new Map<string, Record<string, unknown>>();
  for (const [i, change] of changes.entries()) {
    expect(change).toMatchObject({ origin: 'test-machine', origin_sequence: i + 1, entity: 'memory' });
    if (i > 0) expect(String(change.clock) > String(changes[i - 1]?.clock)).toBe(true);
    const id = String(change.entity_id);
    const before = last.get(id);
    const count = before ? (JSON.parse(String(before.version_vector))['test-machine'] as number) : 0;
    expect(JSON.parse(String(change.version_vector))).toEqual({ 'test-machine': count + 1 });
    last.set(id, change);
  }
  expect(await app.rows('select * from origins')).toEqual(
    changes.length === 0
      ? []
      : [{ origin: 'test-machine', last_sequence: changes.length, last_clock: changes.at(-1)?.clock }],
  );
  const rows = await app.rows('select * from memories');
  for (const row of rows) {
    const { origin_sequence, clock, version_vector, kind } = last.get(String(row.memory_id)) ?? {};
    expect({ origin_sequence, clock, version_vector }).toEqual({
      origin_sequence: row.origin_sequence,
      clock: row.clock,
      version_vector: row.version_vector,
    });
    expect(kind).toBe(row.deleted_at === null ? 'put' : 'delete');
    // One change for the first version and one for each after it.
    expect(JSON.parse(String(row.version_vector))).toEqual({ 'test-machine': row.version });
  }
  const living = new Set(rows.map((row) => row.memory_id));
  for (const [id, change] of last) if (!living.has(id)) expect(change.kind).toBe('delete');
}

test('a change is taken back with the row it belongs to', async () => {
  const store = await openTemporaryDatabase();
  const change = { entity: 'memory', entity_id: 'm1', kind: 'put', before: {} } as const;
  await expect(
    store.write(async (trx) => {
      await store.recordChange(trx, change);
      throw new Error('after the change');
    }),
  ).rejects.toThrow('after the change');
  expect(await store.db.selectFrom('changes').selectAll().execute()).toEqual([]);
  const made = await store.write((trx) => store.recordChange(trx, { ...change, before: { there: 4 } }));
  expect(made).toMatchObject({ origin_sequence: 1, version_vector: '{"there":4,"test-machine":1}' });
  await store.close();
});

describe('two stores of one machine', () => {
  const openTwo = async () => {
    const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-changes-'));
    return [await openTemporaryDatabase({ data_dir }), await openTemporaryDatabase({ data_dir })] as const;
  };
  const write = (store: Database, entity_id: string) =>
    store.write((trx) => store.recordChange(trx, { entity: 'memory', entity_id, kind: 'put', before: {} }));

  test('share its sequence', async () => {
    const [first, second] = await openTwo();
    const made = [];
    for (let i = 0; i < 6; i++) made.push(await write(i % 2 ? first : second, `m${i}`));
    expect(made.map((entry) => entry.origin_sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    const clocks = made.map((entry) => entry.clock);
    expect(clocks).toEqual([...clocks].sort());
    expect(new Set(clocks).size).toBe(6);
    await Promise.all([first.close(), second.close()]);
  });

  test('that write at the same time leave no gap, and later numbers have later clocks', async () => {
    const [first, second] = await openTwo();
    const made = await Promise.all(
      Array.from({ length: 40 }, (_, i) => [write(first, `a${i}`), write(second, `b${i}`)]).flat(),
    );
    const recorded = await first.db.selectFrom('changes').selectAll().orderBy('origin_sequence').execute();
    expect(recorded.map((entry) => entry.origin_sequence)).toEqual(made.map((_, i) => i + 1));
    const clocks = recorded.map((entry) => entry.clock);
    expect(clocks).toEqual([...clocks].sort());
    expect(new Set(clocks).size).toBe(made.length);
    // Who follows the store by `seq` meets the numbers of a machine in order as well.
    expect(recorded.map((entry) => entry.seq)).toEqual(recorded.map((entry) => entry.seq).sort((a, b) => a - b));
    await Promise.all([first.close(), second.close()]);
  });
});
