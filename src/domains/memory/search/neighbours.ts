// The turns around a memory in its sequence.
import type { OperationContext } from '../../../kernel/operation.ts';
import { type MemoryFilter, seen } from '../filters.ts';
import type { MemoryRow } from '../record.ts';
import type { Reader } from '../repository.ts';

/** Up to `count` turns before and after where the search looks, in order, without the memory itself. */
export async function turnsAround(
  db: Reader,
  row: MemoryRow,
  count: number,
  { reach }: MemoryFilter,
  { principal }: Pick<OperationContext, 'principal'>,
) {
  if (count === 0 || row.session_id === null || row.sequence === null) return [];
  return db
    .selectFrom('memories')
    .select(['memory_id', 'sequence', 'content'])
    .where('session_id', '=', row.session_id)
    .where('sequence', '>=', row.sequence - count)
    .where('sequence', '<=', row.sequence + count)
    .where('row_id', '!=', row.row_id)
    .where((eb) => seen(eb, reach ? { reach } : {}, principal))
    .orderBy('sequence')
    .limit(4 * count)
    .execute();
}
