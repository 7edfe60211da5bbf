// Searches with filters over the largest store: their time, and whether the index finds what a full comparison finds.
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { RANKING } from '../../src/domains/memory/ranking/index.ts';
import { createVectorMirror } from '../../src/domains/memory/search/mirror.ts';
import type { MemoryTables } from '../../src/domains/memory/tables.ts';
import { databaseOn } from '../../src/storage/database.ts';
import { createLocalEmbedder } from '../../src/storage/embedding/local.ts';
import { openSqliteEngine } from '../../src/storage/sqlite/engine.ts';
import { createMemoryIndex } from '../../src/storage/vectors/memory-index.ts';
import { httpClient } from './clients.ts';
import { question, SHARE_TAGS } from './notes.ts';
import { makePlace, projectRoot } from './place.ts';
import { placeStore, type Size } from './prepared-store.ts';
import { type Summary, timed } from './stats.ts';

export interface FilterRow extends Summary {
  readonly filter: string;
  readonly matching: number;
  /** Share of the true ten nearest, by full comparison with every matching vector, that the index returns. */
  readonly vector_recall: number;
  /** The same for full text, against an answer without a limit. Both are asked for as many as a search asks for. */
  readonly text_recall: number;
}

const FILTERS: readonly (readonly [string, readonly string[] | undefined])[] = [
  ['none', undefined],
  ['tag on 50%', [SHARE_TAGS.half]],
  ['tag on 1%', [SHARE_TAGS.one_percent]],
];
const QUESTIONS_COUNT = 40;
const TOP = 10;

export async function measureFilters(size: Size, say: (text: string) => void): Promise<FilterRow[]> {
  const place = makePlace();
  try {
    await placeStore(place.data_dir, size, say);
    const recalls = await measureRecall(place.data_dir);
    const hub = await place.startHub();
    const client = await httpClient(hub.url);
    let asked = 5_000;
    try {
      const rows: FilterRow[] = [];
      for (const [filter, tags] of FILTERS) {
        const given = tags ? { tags: [...tags] } : {};
        const summary = await timed(60, async () => {
          const { results } = await client.call('search_memories', { query: question(asked++), limit: TOP, ...given });
          if ((results as unknown[]).length !== TOP)
            throw new Error(`A search with ${filter} found fewer than ${TOP}.`);
        });
        rows.push({ filter, ...(recalls.get(filter) as Recall), ...summary });
      }
      return rows;
    } finally {
      await client.close();
      await hub.stop();
    }
  } finally {
    place.remove();
  }
}

type Recall = Pick<FilterRow, 'matching' | 'vector_recall' | 'text_recall'>;

async function measureRecall(data_dir: string): Promise<Map<string, Recall>> {
  await using embedder = createLocalEmbedder({ models_dir: join(projectRoot, 'models') });
  const engine = await openSqliteEngine({ data_dir, synchronous: 'FULL' });
  const store = databaseOn(engine, { machine_id: hostname() }).withTables<MemoryTables>();
  const index = createMemoryIndex(embedder.dimensions);
  const mirror = createVectorMirror({
    store,
    index,
    model_id: embedder.id,
    fits: false,
    onError: (error) => {
      throw error;
    },
  });
  try {
    await mirror.refresh();
    const recalls = new Map<string, Recall>();
    for (const [filter, tags] of FILTERS) {
      const own = rowIds(engine.raw, tags?.[0]);
      const allowed = tags ? new Set(own) : undefined;
      let vectors = 0;
      let texts = 0;
      let possible = 0;
      for (let i = 0; i < QUESTIONS_COUNT; i++) {
        const { vector } = await embedder.embedQuery(question(9_000 + i));
        const near = index.search(vector, { limit: RANKING.vector_pool_max, allowed });
        const found = near.slice(0, TOP).map((hit) => hit.row_id);
        const truth = index.scores(vector, own).sort((a, b) => b.score - a.score);
        vectors += shared(found, truth);
        const asked = question(9_000 + i);
        const best = await store.text.search(asked, { limit: own.length, allowed });
        const words = (await store.text.search(asked, { limit: RANKING.text_pool_max, allowed })).slice(0, TOP);
        texts += shared(
          words.map((hit) => hit.row_id),
          best,
        );
        possible += Math.min(TOP, best.length);
      }
      recalls.set(filter, {
        matching: own.length,
        vector_recall: vectors / (QUESTIONS_COUNT * TOP),
        text_recall: texts / possible,
      });
    }
    return recalls;
  } finally {
    await store.close();
  }
}

/** How many of `found` are among the ten best; one that scores as much as the tenth counts as well. */
function shared(
  found: readonly number[],
  best: readonly { readonly row_id: number; readonly score: number }[],
): number {
  const least = best[Math.min(TOP, best.length) - 1]?.score ?? Number.POSITIVE_INFINITY;
  const good = new Set(best.filter((hit) => hit.score >= least - 1e-6).map((hit) => hit.row_id));
  return found.filter((row_id) => good.has(row_id)).length;
}

function rowIds(
  raw: { prepare(sql: string): { all(...values: string[]): unknown[] } },
  tag: string | undefined,
): number[] {
  const sql =
    tag === undefined
      ? 'select row_id from memories where deleted_at is null and user_id = ?'
      : 'select row_id from memories join memory_tags using (row_id) where deleted_at is null and user_id = ? and tag = ?';
  const values = tag === undefined ? [userInfo().username] : [userInfo().username, tag];
  return (raw.prepare(sql).all(...values) as { row_id: number }[]).map((row) => row.row_id);
}
