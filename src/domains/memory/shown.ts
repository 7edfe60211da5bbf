// Records as a principal may see them: without links to memories that are out of their sight.
import type { Principal } from '../../kernel/operation.ts';
import { visibleTo } from './filters.ts';
import { type MemoryRow, toMemory } from './record.ts';
import type { Reader } from './repository.ts';
import type { Memory } from './schema.ts';

/** Those of the ids whose memories the principal may see; of deleted ones only the principal's own. */
export async function visibleIds(
  db: Reader,
  memory_ids: readonly (string | null)[],
  principal: Principal,
): Promise<ReadonlySet<string>> {
  const asked = [...new Set(memory_ids)].filter((id) => id !== null);
  if (asked.length === 0) return new Set();
  const rows = await db
    .selectFrom('memories')
    .select('memory_id')
    .where('memory_id', 'in', asked)
    .where((eb) => visibleTo(eb, principal))
    .where((eb) => eb.or([eb('deleted_at', 'is', null), eb('user_id', '=', principal.user_id)]))
    .execute();
  return new Set(rows.map((row) => row.memory_id));
}

/** The records of these rows, in order. */
export async function recordsFor(db: Reader, rows: readonly MemoryRow[], principal: Principal): Promise<Memory[]> {
  const known = await visibleIds(
    db,
    rows.flatMap(({ supersedes, superseded_by }) => [supersedes, superseded_by]),
    principal,
  );
  const shown = (id: string | null) => (id !== null && known.has(id) ? id : null);
  return rows.map((row) => {
    const record = toMemory(row);
    return { ...record, supersedes: shown(record.supersedes), superseded_by: shown(record.superseded_by) };
  });
}

/** The record of one row. */
export async function recordFor(db: Reader, row: MemoryRow, principal: Principal): Promise<Memory> {
  const [record] = await recordsFor(db, [row], principal);
  return record ?? toMemory(row);
}
