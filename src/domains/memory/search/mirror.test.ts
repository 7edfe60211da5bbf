// The vector index of a process follows what other processes do to the store.
import { expect, test, vi } from 'vitest';
import { openTemporaryDatabase } from '../../../../test/support/temporary-database.ts';
import { encodeVector } from '../../../storage/vectors/codec.ts';
import { createMemoryIndex } from '../../../storage/vectors/memory-index.ts';
import type { MemoryDatabase } from '../repository.ts';
import type { MemoryTables } from '../tables.ts';
import { createVectorMirror } from './mirror.ts';

const MODEL = 'test-model';
const direction = (at: number) => Float32Array.from({ length: 8 }, (_, i) => (i === at ? 1 : 0));

const save = (store: MemoryDatabase, row_id: number) =>
  store.write(async (trx) => {
    const vector = encodeVector(direction(row_id));
    await trx
      .insertInto('memory_vectors')
      .values({ row_id, chunk: 0, model_id: MODEL, start_char: 0, end_char: 1, vector, tokens: null })
      .execute();
  });

test('finds what others add and forgets what others delete', async () => {
  const database = await openTemporaryDatabase();
  const store = database.withTables<MemoryTables>();
  const mirror = createVectorMirror({
    store,
    index: createMemoryIndex(8),
    model_id: MODEL,
    fits: false,
    onError: (error) => {
      throw error;
    },
    forget_interval_ms: 20,
  });
  for (const row_id of [1, 2, 3]) await save(store, row_id);
  await mirror.refresh();
  mirror.start();
  expect(mirror.size()).toBe(3);
  await store.write(async (trx) => void (await trx.deleteFrom('memory_vectors').where('row_id', '=', 2).execute()));
  await vi.waitFor(() => expect(mirror.size()).toBe(2), { timeout: 10_000 });
  await save(store, 4);
  await mirror.refresh();
  const found = await mirror.search(direction(4), { limit: 4, metric: 'cosine' });
  expect(found.map((hit) => hit.row_id).sort()).toEqual([1, 3, 4]);
  expect(found[0]).toMatchObject({ row_id: 4 });
  await mirror.stop();
  await database.close();
});
