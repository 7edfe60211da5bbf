// Searching: which rows may be found, the two candidate lists, the ranking, and the rows of the page asked for.
import { type ErrorBody, toErrorBody } from '../../../kernel/errors.ts';
import type { OperationContext } from '../../../kernel/operation.ts';
import type { Embedder } from '../../../storage/embedding/port.ts';
import type { MemoryFilter } from '../filters.ts';
import type { MemoryRow } from '../record.ts';
import { findRows, type MemoryDatabase, matchingRowIds } from '../repository.ts';
import { type Duplicates, findDuplicates } from './duplicates.ts';
import type { VectorMirror } from './mirror.ts';
import { queueDepth } from './vector-rows.ts';

export interface Hit {
  readonly row: MemoryRow;
  /** 0 to 1, comparable inside one answer. */
  readonly score: number;
  readonly parts: Readonly<Record<string, number>>;
  /** Ids of near-identical memories that stand behind this one. */
  readonly folded: readonly string[];
  /** The part of a long memory that matched; undefined where it is the whole. */
  readonly excerpt: string | undefined;
}

export interface FindOptions {
  readonly limit: number;
  readonly offset: number;
  readonly semantic: boolean;
}

export interface Found {
  readonly hits: readonly Hit[];
  readonly mode: 'hybrid' | 'text';
  readonly notice: string | null;
}

export interface MemorySearch {
  find(query: string, filter: MemoryFilter, options: FindOptions, ctx: OperationContext): Promise<Found>;
  duplicates(
    filter: MemoryFilter,
    options: { readonly threshold: number; readonly limit: number },
    ctx: OperationContext,
  ): Promise<Duplicates>;
  /** Memories that wait for their vector. */
  pending(): Promise<number>;
  /** What keeps search by meaning from working, if anything. */
  trouble(): ErrorBody | undefined;
}

export interface SearchDeps {
  readonly store: MemoryDatabase;
  readonly embedder: Embedder;
  readonly mirror: VectorMirror;
  readonly onError: (error: unknown) => void;
}

const POOL = 200;

export function createMemorySearch({ store, embedder, mirror, onError }: SearchDeps): MemorySearch {
  let trouble: ErrorBody | undefined;
  async function meaning(query: string, allowed: ReadonlySet<number>, ctx: OperationContext) {
    try {
      const [embedded] = await Promise.all([embedder.embedQuery(query, { signal: ctx.signal }), mirror.refresh()]);
      trouble = undefined;
      return mirror.index.search(embedded.vector, { limit: POOL, allowed });
    } catch (error) {
      if (ctx.signal.aborted) throw error;
      onError(error);
      trouble = toErrorBody(error);
      return undefined;
    }
  }
  return {
    async find(query, filter, options, ctx) {
      const allowed = new Set(await matchingRowIds(store.db, filter, ctx.principal));
      const text = store.text.search(query, { limit: POOL, allowed });
      const vectors = options.semantic ? await meaning(query, allowed, ctx) : undefined;
      const scores = new Map<number, number>();
      for (const list of [text, vectors ?? []]) {
        const top = list[0]?.score ?? 1;
        const low = list.at(-1)?.score ?? 0;
        for (const hit of list)
          scores.set(hit.row_id, (scores.get(hit.row_id) ?? 0) + 0.5 * ((hit.score - low) / (top - low || 1)));
      }
      const page = [...scores].sort((a, b) => b[1] - a[1]).slice(options.offset, options.offset + options.limit);
      const rows = await findRows(
        store.db,
        page.map(([row_id]) => row_id),
        ctx.principal,
      );
      return {
        hits: rows.map((row) => ({
          row,
          score: scores.get(row.row_id) ?? 0,
          parts: {},
          folded: [],
          excerpt: undefined,
        })),
        mode: vectors ? 'hybrid' : 'text',
        notice: null,
      };
    },
    duplicates: (filter, options, ctx) => findDuplicates(store, embedder, filter, options, ctx),
    pending: () => queueDepth(store),
    trouble: () => trouble,
  };
}
