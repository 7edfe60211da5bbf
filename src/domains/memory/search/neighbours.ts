// The turns around a memory in its sequence.
import type { Principal } from '../../../kernel/operation.ts';
import { visibleTo } from '../filters.ts';
import type { MemoryRow } from '../record.ts';
import type { Reader } from '../repository.ts';

/** Up to `reach` turns before and after, in order, without the memory itself. */
export async function turnsAround(db: Reader, row: MemoryRow, reach: number, principal: Principal) {
  if (row.session_id === null || row.sequence === null) return [];
  return db
    .selectFrom('memories')
    .select(['memory_id', 'sequence', 'content'])
    .where('session_id', '=', row.session_id)
    .where('sequence', '>=', row.sequence - reach)
    .where('sequence', '<=', row.sequence + reach)
    .where('row_id', '!=', row.row_id)
    .where('deleted_at', 'is', null)
    .where((eb) => visibleTo(eb, principal))
    .orderBy('sequence')
    .limit(4 * reach)
    .execute();
}
