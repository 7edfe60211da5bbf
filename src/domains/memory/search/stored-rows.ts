// For the tests of search by meaning: memories with vectors in a real store, written as the rules write them.
import { encodeVector } from '../../../storage/vectors/codec.ts';
import type { MemoryRow, NewMemoryRow } from '../record.ts';
import { findRow, insertRow, type MemoryDatabase, updateRow } from '../repository.ts';
import type { Model } from './indexed-rows.ts';
import { queuedTexts, saveVectors } from './vector-rows.ts';

const AT = '2026-01-01T00:00:00.000Z';

export const note = { change: 'update', changed_at: AT, changed_by: 'ann' };

export const newRow = (memory_id: string, over: Partial<NewMemoryRow> = {}): NewMemoryRow => ({
  memory_id,
  content: `text of ${memory_id}`,
  identity_hash: memory_id,
  category: 'global',
  context: null,
  tags: '[]',
  metadata: '{}',
  project_id: null,
  project: null,
  scope: 'solo',
  team_id: null,
  importance: 0.5,
  session_id: null,
  sequence: null,
  external_id: null,
  occurred_at: null,
  valid_from: null,
  valid_until: null,
  supersedes: null,
  superseded_by: null,
  user_id: 'ann',
  agent_id: 'a1',
  machine_id: 'm1',
  source: 'agent',
  format_version: 'v1',
  version: 1,
  created_at: AT,
  updated_at: AT,
  deleted_at: null,
  deleted_by: null,
  delete_reason: null,
  purge_at: null,
  merged_into: null,
  ...over,
});

/** Stores rows that wait for their vectors; resolves with their ids. */
export const storeRows = (store: MemoryDatabase, rows: readonly NewMemoryRow[]): Promise<number[]> =>
  store.write(async (trx) => {
    const ids: number[] = [];
    for (const row of rows) {
      const row_id = await insertRow(store, trx, row);
      await trx.insertInto('memory_vector_queue').values({ row_id, attempts: 0, claimed_until: 0 }).execute();
      ids.push(row_id);
    }
    return ids;
  });

/** Saves these vectors, one list a row, of rows that wait for theirs. */
export const embedRows = async (
  store: MemoryDatabase,
  model: Model,
  row_ids: readonly number[],
  vectorsOf: (row_id: number) => readonly Float32Array[],
): Promise<void> => {
  const texts = await queuedTexts(store, row_ids);
  const chunks = (row_id: number) =>
    vectorsOf(row_id).map((vector) => ({ vector: encodeVector(vector), start_char: 0, end_char: 1, tokens: null }));
  await saveVectors(
    store,
    model.id,
    texts.map((text) => ({ text, chunks: chunks(text.row_id) })),
  );
};

/** Changes a row as the rules do; a row that is not there is left out. */
export const changeRow = (store: MemoryDatabase, memory_id: string, values: Partial<NewMemoryRow>): Promise<void> =>
  store.write(async (trx) => {
    const row: MemoryRow | undefined = await findRow(trx, memory_id);
    if (row) await updateRow(store, trx, row, values, note);
  });
