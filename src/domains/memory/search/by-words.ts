// The quick search: the most telling words of a text, looked up without ranking beyond theirs. For hints that come with
// another answer and must not slow it down; search.ts is for those who ask.
import type { OperationContext } from '../../../kernel/operation.ts';
import { type MemoryFilter, seen } from '../filters.ts';
import { foldDuplicates, RANKING } from '../ranking/index.ts';
import type { MemoryRow } from '../record.ts';
import { findRows, type MemoryDatabase } from '../repository.ts';

/** Words looked for: those that fewest memories contain. Each further one costs a scan and decides less. */
const WORDS_MAX_COUNT = 5;
/** Words of the text that are weighed. */
const WEIGHED_MAX_COUNT = 24;
const WORD_CHARS_MIN = 3;
/** Candidates of which some may not be seen, or do not pass the filter. */
const CANDIDATES_MAX_COUNT = 100;
/** Passing candidates looked at for each one wanted: near-identical ones fold. */
const READ_PER_HIT = 2;

export interface WordHit {
  readonly row: MemoryRow;
  /** 0 to 1, the best is 1. */
  readonly score: number;
}

/** Memories that share the rarest words of a text, best first; empty where none shares any. */
export async function findByWords(
  store: MemoryDatabase,
  text: string,
  filter: MemoryFilter,
  limit: number,
  { principal }: Pick<OperationContext, 'principal'>,
): Promise<WordHit[]> {
  const question = (await tellingWords(store, text)).join(' ');
  if (question === '') return [];
  const found = await store.text.search(question, { limit: CANDIDATES_MAX_COUNT });
  if (found.length === 0) return [];
  const ids = found.map(({ row_id }) => row_id);
  const passing = await store.db
    .selectFrom('memories')
    .select('memories.row_id')
    .where(store.dialect.inList('memories.row_id', ids))
    .where((eb) => seen(eb, filter, principal))
    .execute();
  const allowed = new Set(passing.map(({ row_id }) => row_id));
  const best = found.filter(({ row_id }) => allowed.has(row_id)).slice(0, READ_PER_HIT * limit);
  const rows = await findRows(
    store,
    best.map(({ row_id }) => row_id),
    principal,
  );
  const scores = new Map(best.map(({ row_id, score }) => [row_id, score / (best[0]?.score || 1)]));
  return folded(rows, limit).map((row) => ({ row, score: scores.get(row.row_id) ?? 0 }));
}

/** As rare as what is in no memory: words like it would be taken for typos, and hints are not worth guessing. */
const NOWHERE = 'qzxwvjkqzxwvjk';

/** The rarest words of a text, of those that are in the store at all. */
async function tellingWords(store: MemoryDatabase, text: string): Promise<string[]> {
  const all = text.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{N}_.:/-]*/gu) ?? [];
  const words = [...new Set(all.filter((word) => word.length >= WORD_CHARS_MIN))].slice(0, WEIGHED_MAX_COUNT);
  if (words.length === 0) return [];
  const rarity = await store.text.rarity([...words, NOWHERE]);
  const rare = (word: string) => rarity.get(word) ?? 0;
  const known = words.filter((word) => rare(word) < rare(NOWHERE));
  return known.toSorted((a, b) => rare(b) - rare(a)).slice(0, WORDS_MAX_COUNT);
}

function folded(rows: readonly MemoryRow[], limit: number): MemoryRow[] {
  const byId = new Map(rows.map((row) => [row.row_id, row]));
  const facts = new Map(rows.map(({ row_id, content }) => [row_id, { content }]));
  const parts = { bm25: 0, vector: 0, maxsim: 0, neighbours: 0, session: 0, importance: 0 };
  const hits = rows.map(({ row_id }) => ({ row_id, score: 0, chunk: 0, parts, folded: [] }));
  return foldDuplicates(hits, facts, limit, RANKING).flatMap(({ row_id }) => byId.get(row_id) ?? []);
}
