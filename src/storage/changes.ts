// Records a change in the transaction that makes it: origin, sequence, clock and the record's version vector.
import type { Transaction } from 'kysely';
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

/** Makes the recorder for this machine. The returned columns go onto the changed row itself. */
export function createChangeRecorder(origin: string, clock: HybridClock): RecordChange {
  return async (trx, change) => {
    const current = await trx.selectFrom('origins').selectAll().where('origin', '=', origin).executeTakeFirst();
    if (current) clock.observe(current.last_clock);
    const timestamp = clock.next();
    const origin_sequence = (current?.last_sequence ?? 0) + 1;
    const version_vector = JSON.stringify({ ...change.before, [origin]: (change.before[origin] ?? 0) + 1 });
    await trx
      .insertInto('origins')
      .values({ origin, last_sequence: origin_sequence, last_clock: timestamp })
      .onConflict((conflict) =>
        conflict.column('origin').doUpdateSet({ last_sequence: origin_sequence, last_clock: timestamp }),
      )
      .execute();
    const { entity, entity_id, kind } = change;
    await trx
      .insertInto('changes')
      .values({ origin, origin_sequence, clock: timestamp, entity, entity_id, kind, version_vector })
      .execute();
    return { origin, origin_sequence, clock: timestamp, version_vector };
  };
}
