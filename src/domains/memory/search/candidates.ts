// SQL of a search: the facts that ranking needs of rows that may be found.
import { sql } from 'kysely';
import type { OperationContext } from '../../../kernel/operation.ts';
import { type MemoryFilter, seen } from '../filters.ts';
import type { CandidateFacts, SequenceRange } from '../ranking/index.ts';
import type { MemoryDatabase } from '../repository.ts';

/** Facts by row id. */
type Candidates = Map<number, CandidateFacts>;

/** Which rows a search may find. */
export interface Reachable {
  readonly filter: MemoryFilter;
  readonly principal: OperationContext['principal'];
  readonly signal: AbortSignal;
}

/** Facts of those rows among `ids` that may be found. */
export async function factsOf(
  store: MemoryDatabase,
  ids: readonly number[],
  { filter, principal }: Reachable,
): Promise<Candidates> {
  const rows = await store.db
    .selectFrom('memories')
    .select(['row_id', 'session_id', 'sequence', 'content', 'importance'])
    .where(store.dialect.inList('memories.row_id', ids))
    .where((eb) => seen(eb, filter, principal))
    .execute();
  return new Map(rows.map(({ row_id, ...facts }) => [row_id, facts]));
}

/** Facts of the rows in these ranges of their sessions that may be found. */
export async function factsInRanges(
  store: MemoryDatabase,
  ranges: readonly SequenceRange[],
  { filter, principal }: Reachable,
): Promise<Candidates> {
  if (ranges.length === 0) return new Map();
  const rows = await store.db
    .selectFrom(store.dialect.rangeTable(ranges).as('wanted'))
    // A cross join keeps this order: few ranges, each answered by the index on sessions.
    .crossJoin('memories')
    .whereRef('memories.session_id', '=', 'wanted.session_id')
    .select(['memories.row_id', 'memories.session_id', 'memories.sequence', 'memories.content', 'memories.importance'])
    .where(sql<boolean>`memories.sequence between wanted.lowest and wanted.highest`)
    .where((eb) => seen(eb as never, filter, principal))
    .execute();
  return new Map(rows.map(({ row_id, ...facts }) => [row_id, facts]));
}

/** Packed token vectors of short texts, by row id. */
export async function tokensOf(
  store: MemoryDatabase,
  model_id: string,
  ids: readonly number[],
): Promise<Map<number, Uint8Array>> {
  const rows = await store.db
    .selectFrom('memory_vectors')
    .select(['row_id', 'tokens'])
    .where(store.dialect.inList('row_id', ids))
    .where('model_id', '=', model_id)
    .where('chunk', '=', 0)
    .where('tokens', 'is not', null)
    .execute();
  return new Map(rows.flatMap(({ row_id, tokens }) => (tokens ? [[row_id, tokens] as const] : [])));
}

/** Where the chunks of these rows begin and end in their text. */
export async function chunkBounds(store: MemoryDatabase, model_id: string, ids: readonly number[]) {
  return store.db
    .selectFrom('memory_vectors')
    .select(['row_id', 'chunk', 'start_char', 'end_char'])
    .where(store.dialect.inList('row_id', ids))
    .where('model_id', '=', model_id)
    .execute();
}
