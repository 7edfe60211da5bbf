// For the tests of vector servers: small memories, and what a server has to find among them, computed exactly.
import type { IndexedMemory, NearChunk, NearOptions, VectorFilter, VectorPayload } from './port.ts';

export const DIMENSIONS = 8;

export const unit = (...numbers: number[]): Float32Array => {
  const vector = new Float32Array(DIMENSIONS);
  vector.set(numbers);
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
};

const payload = (over: Partial<VectorPayload> = {}): VectorPayload => ({
  user_id: 'ann',
  scope: 'solo',
  category: 'notes',
  project: null,
  project_id: null,
  session_id: null,
  machine_id: 'm1',
  agent_id: 'a1',
  source: 'manual',
  tags: [],
  ...over,
});

export const memory = (row_id: number, vectors: Float32Array[], over: Partial<VectorPayload> = {}): IndexedMemory => ({
  row_id,
  revision: `r${row_id}`,
  vectors,
  payload: payload(over),
});

export const filter = (over: Partial<VectorFilter> = {}): VectorFilter => ({
  visible_to: { user_id: 'ann', scopes: ['shared'] },
  any_of: [],
  none_of: [],
  tags_any: [],
  tags_all: [],
  tags_none: [],
  ...over,
});

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

const meets = (payload: VectorPayload, filter: VectorFilter): boolean => {
  const has = (tag: string) => payload.tags.includes(tag);
  return (
    (payload.user_id === filter.visible_to.user_id || filter.visible_to.scopes.includes(payload.scope)) &&
    filter.any_of.every(({ field, values }) => values.includes(payload[field] ?? '\0absent')) &&
    filter.none_of.every(({ field, values }) => !values.includes(payload[field] ?? '\0absent')) &&
    (filter.tags_any.length === 0 || filter.tags_any.some(has)) &&
    filter.tags_all.every(has) &&
    !filter.tags_none.some(has)
  );
};

export const createReference = () => {
  const memories = new Map<number, IndexedMemory>();
  return {
    put(given: readonly IndexedMemory[]): void {
      for (const each of given) memories.set(each.row_id, each);
    },
    remove(row_ids: readonly number[]): void {
      for (const row_id of row_ids) memories.delete(row_id);
    },
    nearest: (query: Float32Array, { limit, filter, allowed }: NearOptions): NearChunk[] =>
      [...memories.values()]
        .filter(({ row_id, payload }) => (allowed?.has(row_id) ?? true) && (!filter || meets(payload, filter)))
        .flatMap(({ row_id, vectors }) =>
          vectors.map((vector, chunk) => ({ row_id, chunk, score: dot(vector, query) })),
        )
        .sort((a, b) => b.score - a.score)
        .slice(0, limit),
    revisions: () =>
      [...memories.values()]
        .sort((a, b) => a.row_id - b.row_id)
        .map(({ row_id, revision, vectors }) => ({ row_id, revision, chunks: vectors.length })),
    count: () => [...memories.values()].reduce((sum, { vectors }) => sum + vectors.length, 0),
  };
};
