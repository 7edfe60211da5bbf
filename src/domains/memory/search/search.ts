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
import { pushdown } from './pushdown.ts';
import type { MemoryVectors } from './vectors.ts';

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
  readonly vectors: MemoryVectors;
  readonly onError: (error: unknown) => void;
}

/** Up to this many rows a filter's set is made before the search: about 10 ms. */
const FEW_ROWS_MAX = 20_000;
/** Candidates that have to pass for each hit asked for, else too much of the answer may lie beyond them. */
const PASSING_PER_HIT = 3;
/** Filters that every search has: they leave nearly all rows, so candidates are checked afterwards. */
const COMMON_FILTERS = new Set(['valid_at', 'include_superseded', 'reach']);

/** Whether it looks at all one's own memories, as nearly every search does; those are most of what is there. */
const reachesOwn = ({ reach }: MemoryFilter): boolean =>
  reach === undefined || reach.some((part) => part.user_id !== undefined && part.scope === undefined);

const NO_EMBEDDING = { message: 'no embedding', hint: '' };

/** Set where the index of vectors did not answer a search: its words were searched, their vectors compared. */
interface IndexAway {
  trouble: Pick<ErrorBody, 'message' | 'hint'> | undefined;
}

export function createMemorySearch(deps: SearchDeps): MemorySearch {
  const { store, embedder, vectors, onError } = deps;
  let trouble: ErrorBody | undefined;

  /** The question as vectors; undefined where meaning cannot be searched at the moment, which is no error. */
  async function understand(query: string, ctx: OperationContext): Promise<EmbeddedQuery | undefined> {
    try {
      const [question] = await Promise.all([embedder.embedQuery(query, { signal: ctx.signal }), vectors.refresh()]);
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
      const away: IndexAway = { trouble: undefined };
      const ranked = await rankMatches(
        deps,
        query,
        understanding,
        { filter, principal: ctx.principal, signal: ctx.signal },
        away,
        options.offset + options.limit,
      );
      const page = ranked.slice(options.offset);
      const question = await understanding;
      const why = question ? away.trouble : options.semantic ? (trouble ?? NO_EMBEDDING) : undefined;
      return {
        hits: await toHits(deps, page, ctx),
        mode: question && !why ? 'hybrid' : 'text',
        notice: why ? `Searched by words alone: ${why.message} ${why.hint}`.trim() : null,
      };
    },
    duplicates: (filter, options, ctx) => findDuplicates(store, embedder, filter, options, ctx),
    trouble: () => trouble,
  };
}

/**
 * A filter that leaves few rows is turned into the set of them, within which both searches are exact. One that leaves
 * many is applied to the candidates afterwards; if too few of them pass, because what it leaves lies elsewhere, the set
 * is made after all.
 */
async function rankMatches(
  deps: SearchDeps,
  question: string,
  query: Promise<EmbeddedQuery | undefined>,
  reachable: Reachable,
  away: IndexAway,
  limit: number,
): Promise<RankedHit[]> {
  const { filter, principal, signal } = reachable;
  const within = (ids: readonly number[]): Promise<RankedHit[]> =>
    ids.length === 0
      ? Promise.resolve([])
      : findRanked(rankingDeps(deps, reachable, away), { question, query, limit, allowed: new Set(ids), signal });
  if (Object.keys(filter).some((key) => !COMMON_FILTERS.has(key)) || !reachesOwn(filter)) {
    const few = await matchingRowIds(deps.store, filter, principal, FEW_ROWS_MAX + 1);
    if (few.length <= FEW_ROWS_MAX) return within(few);
  }
  const seen = { asked: 0, found: 0 };
  const hits = await findRanked(rankingDeps(deps, reachable, away, seen), { question, query, limit, signal });
  const enough = seen.found === seen.asked || seen.found >= Math.max(PASSING_PER_HIT * limit, seen.asked / 4);
  return enough ? hits : within(await matchingRowIds(deps.store, filter, principal));
}

/** What ranking reads. `seen` counts the rows of the two searches and how many of them may be found. */
function rankingDeps(
  { store, embedder, vectors, onError }: SearchDeps,
  reachable: Reachable,
  away: IndexAway,
  seen = { asked: 0, found: 0 },
): FindDeps {
  return {
    text: store.text,
    vectors: {
      async search(query, options) {
        const { filter, principal, signal } = reachable;
        try {
          return await vectors.search(query, { ...options, filter: pushdown(filter, principal), signal });
        } catch (error) {
          signal.throwIfAborted();
          // While an index that another program holds is left alone, it has said so once.
          if (!vectors.trouble()) onError(error);
          away.trouble = toErrorBody(error);
          return [];
        }
      },
      scores: vectors.scores,
    },
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
  const rows = await findRows(store, [...ids, ...page.flatMap((hit) => hit.folded)], ctx.principal);
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
