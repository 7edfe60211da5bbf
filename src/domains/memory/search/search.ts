// Searching: which rows may be found, the two candidate lists, what ranking needs of them, and the rows of the page.
import { type ErrorBody, toErrorBody } from '../../../kernel/errors.ts';
import type { OperationContext } from '../../../kernel/operation.ts';
import type { EmbeddedQuery, Embedder } from '../../../storage/embedding/port.ts';
import type { MemoryFilter } from '../filters.ts';
import { type FindDeps, findRanked, type RankedHit } from '../ranking/index.ts';
import type { MemoryRow } from '../record.ts';
import { findRows, type MemoryDatabase, matchingRowIds } from '../repository.ts';
import { chunkBounds, factsInRanges, factsOf, type Reachable, tokensOf } from './candidates.ts';
import { type Duplicates, findDuplicates } from './duplicates.ts';
import type { VectorMirror } from './mirror.ts';

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
  /** What keeps search by meaning from working, if anything. */
  trouble(): ErrorBody | undefined;
}

export interface SearchDeps {
  readonly store: MemoryDatabase;
  readonly embedder: Embedder;
  readonly mirror: VectorMirror;
  readonly onError: (error: unknown) => void;
}

/** Filters that every search has: they leave nearly all rows, so candidates are checked afterwards. */
const COMMON_FILTERS = new Set(['valid_at', 'include_superseded']);

export function createMemorySearch(deps: SearchDeps): MemorySearch {
  const { store, embedder, mirror, onError } = deps;
  let trouble: ErrorBody | undefined;

  /** The question as vectors; undefined where meaning cannot be searched at the moment, which is no error. */
  async function understand(query: string, ctx: OperationContext): Promise<EmbeddedQuery | undefined> {
    try {
      const [question] = await Promise.all([embedder.embedQuery(query, { signal: ctx.signal }), mirror.refresh()]);
      trouble = undefined;
      return question;
    } catch (error) {
      ctx.signal.throwIfAborted();
      onError(error);
      trouble = toErrorBody(error);
      return undefined;
    }
  }

  return {
    async find(query, filter, options, ctx) {
      // Begins at once, and is awaited only where vectors are needed: the words are searched meanwhile.
      const understanding = options.semantic ? understand(query, ctx) : Promise.resolve(undefined);
      understanding.catch(() => undefined);
      const ranked = await rankMatches(
        deps,
        query,
        understanding,
        { filter, principal: ctx.principal, signal: ctx.signal },
        options.offset + options.limit,
      );
      const page = ranked.slice(options.offset);
      const question = await understanding;
      const notice =
        options.semantic && !question
          ? `Searched by words alone: ${trouble?.message ?? 'no embedding'} ${trouble?.hint ?? ''}`.trim()
          : null;
      return { hits: await toHits(deps, page, ctx), mode: question ? 'hybrid' : 'text', notice };
    },
    duplicates: (filter, options, ctx) => findDuplicates(store, embedder, filter, options, ctx),
    trouble: () => trouble,
  };
}

/**
 * A narrow filter is turned into the set of rows it leaves, within which both searches are exact. The common filter
 * leaves nearly everything: there candidates are checked afterwards, and only if too many fall out is the set made.
 */
async function rankMatches(
  deps: SearchDeps,
  question: string,
  query: Promise<EmbeddedQuery | undefined>,
  reachable: Reachable,
  limit: number,
): Promise<RankedHit[]> {
  const { signal } = reachable;
  const narrow = Object.keys(reachable.filter).some((key) => !COMMON_FILTERS.has(key));
  if (!narrow) {
    const seen = { asked: 0, found: 0 };
    const hits = await findRanked(rankingDeps(deps, reachable, seen), { question, query, limit, signal });
    if (seen.found >= Math.min(seen.asked, limit) && seen.found * 2 >= seen.asked) return hits;
  }
  const allowed = new Set(await matchingRowIds(deps.store.db, reachable.filter, reachable.principal));
  if (allowed.size === 0) return [];
  return findRanked(rankingDeps(deps, reachable), { question, query, limit, allowed, signal });
}

/** What ranking reads. `seen` counts the rows of the two searches and how many of them may be found. */
function rankingDeps(
  { store, embedder, mirror }: SearchDeps,
  reachable: Reachable,
  seen = { asked: 0, found: 0 },
): FindDeps {
  return {
    text: store.text,
    vectors: mirror.index,
    async facts(row_ids) {
      const facts = await factsOf(store, row_ids, reachable);
      seen.asked += row_ids.length;
      seen.found += facts.size;
      return facts;
    },
    factsInRanges: (ranges) => factsInRanges(store, ranges, reachable),
    tokens: (row_ids) => tokensOf(store, embedder.id, row_ids),
  };
}

async function toHits(
  { store, embedder }: SearchDeps,
  page: readonly RankedHit[],
  ctx: OperationContext,
): Promise<Hit[]> {
  const ids = page.map((hit) => hit.row_id);
  const rows = await findRows(store.db, [...ids, ...page.flatMap((hit) => hit.folded)], ctx.principal);
  const byId = new Map(rows.map((row) => [row.row_id, row]));
  const bounds = await chunkBounds(store, embedder.id, ids);
  return page.flatMap((hit): Hit[] => {
    const row = byId.get(hit.row_id);
    if (!row) return [];
    const chunks = bounds.filter((entry) => entry.row_id === hit.row_id);
    const best = chunks.length > 1 ? chunks.find((entry) => entry.chunk === hit.chunk) : undefined;
    const excerpt = best && row.content.slice(best.start_char, best.end_char);
    const folded = hit.folded.flatMap((row_id) => byId.get(row_id)?.memory_id ?? []);
    return [{ row, score: hit.score, parts: { ...hit.parts }, folded, excerpt: excerpt || undefined }];
  });
}
