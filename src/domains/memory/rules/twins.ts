// Near-duplicates of a text: candidates by shared bands, then the true overlap of their word pairs.
import { sql } from 'kysely';
import type { Principal } from '../../../kernel/operation.ts';
import { visibleTo } from '../filters.ts';
import type { MemoryTrx, Reader } from '../repository.ts';
import { bandKeys, jaccard, shingles } from './signature.ts';

/** From this overlap on, two texts say the same with a few words changed. */
const TWIN_SIMILARITY_MIN = 0.6;
const CANDIDATES_MAX_COUNT = 20;
/** Of a thousand reports that differ in a number, the newest are twins as good as any: a write must not read them all. */
const ROWS_PER_BAND_MAX_COUNT = 40;

export interface Twin {
  readonly memory_id: string;
  /** Share of common word pairs, 0 to 1. */
  readonly similarity: number;
}

/** The most similar living memory the principal may see, if it is close enough. */
export async function findTwin(db: Reader, content: string, principal: Principal): Promise<Twin | undefined> {
  const set = shingles(content);
  const keys = bandKeys(set);
  if (keys.length === 0) return undefined;
  const bands = [...new Set(keys)].map(
    (band) => sql`select * from (select row_id from memory_signatures where band = ${band}
      order by row_id desc limit ${sql.lit(ROWS_PER_BAND_MAX_COUNT)}) as newest`,
  );
  const rows = sql<{ row_id: number; shared: number }>`(
    select row_id, count(*) as shared from (${sql.join(bands, sql` union all `)}) as bands group by row_id)`;
  const candidates = await db
    .selectFrom(rows.as('near'))
    .innerJoin('memories', 'memories.row_id', 'near.row_id')
    .select(['memories.memory_id', 'memories.content'])
    .where('memories.deleted_at', 'is', null)
    .where((eb) => visibleTo(eb as never, principal))
    .orderBy('near.shared', 'desc')
    .orderBy('near.row_id', 'desc')
    .limit(CANDIDATES_MAX_COUNT)
    .execute();
  let best: Twin | undefined;
  for (const candidate of candidates) {
    const similarity = jaccard(set, shingles(candidate.content));
    if (similarity >= TWIN_SIMILARITY_MIN && similarity > (best?.similarity ?? 0))
      best = { memory_id: candidate.memory_id, similarity };
  }
  return best && { ...best, similarity: Math.round(best.similarity * 1000) / 1000 };
}

/** Of a new row: there is nothing to replace yet. */
export async function saveSignature(trx: MemoryTrx, row_id: number, content: string): Promise<void> {
  const keys = [...new Set(bandKeys(shingles(content)))];
  if (keys.length > 0)
    await trx
      .insertInto('memory_signatures')
      .values(keys.map((band) => ({ band, row_id })))
      .execute();
}

export async function renewSignature(trx: MemoryTrx, row_id: number, content: string): Promise<void> {
  await trx.deleteFrom('memory_signatures').where('row_id', '=', row_id).execute();
  await saveSignature(trx, row_id, content);
}
