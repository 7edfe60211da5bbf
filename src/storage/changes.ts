// Records a change in the transaction that makes it: origin, sequence, clock and the record's version vector.
import { sql, type Transaction } from 'kysely';
import type { HybridClock } from './hybrid-clock.ts';
import type { StorageTables, VersionedColumns } from './tables.ts';

export type VersionVector = Readonly<Record<string, number>>;

export interface ChangeInput {
  readonly entity: string;
  readonly entity_id: string;
  readonly kind: 'put' | 'delete';
  /** The record's version vector before the change; `{}` for a new record. */
  readonly before: VersionVector;
}

export type RecordChange = (trx: Transaction<StorageTables>, change: ChangeInput) => Promise<VersionedColumns>;

/**
 * Makes the recorder for this machine. The returned columns go onto the changed row itself. The origin's row is held
 * until the commit, so its sequence has no gaps and appears in order, whoever else writes under the same name.
 */
export function createChangeRecorder(origin: string, clock: HybridClock): RecordChange {
  return async (trx, change) => {
    const { origin_sequence, timestamp } = await nextPosition(trx, origin, clock);
    const version_vector = JSON.stringify({ ...change.before, [origin]: (change.before[origin] ?? 0) + 1 });
    const { entity, entity_id, kind } = change;
    await trx
      .insertInto('changes')
      .values({ origin, origin_sequence, clock: timestamp, entity, entity_id, kind, version_vector })
      .execute();
    return { origin, origin_sequence, clock: timestamp, version_vector };
  };
}

async function nextPosition(
  trx: Transaction<StorageTables>,
  origin: string,
  clock: HybridClock,
): Promise<{ origin_sequence: number; timestamp: string }> {
  const proposed = clock.next();
  const { last_sequence, last_clock } = await trx
    .insertInto('origins')
    .values({ origin, last_sequence: 1, last_clock: proposed })
    .onConflict((conflict) =>
      conflict.column('origin').doUpdateSet({
        last_sequence: sql<number>`origins.last_sequence + 1`,
        // Marked where it is not ours: two processes of one machine can propose the very same in one millisecond.
        last_clock: sql<string>`case when origins.last_clock >= excluded.last_clock then origins.last_clock || '+' else excluded.last_clock end`,
      }),
    )
    .returning(['last_sequence', 'last_clock'])
    .executeTakeFirstOrThrow();
  if (last_clock === proposed) return { origin_sequence: last_sequence, timestamp: proposed };
  // Another process of this machine is as far or ahead: its timestamps stay below ours from here on.
  clock.observe(last_clock);
  const timestamp = clock.next();
  await trx.updateTable('origins').set({ last_clock: timestamp }).where('origin', '=', origin).execute();
  return { origin_sequence: last_sequence, timestamp };
}
