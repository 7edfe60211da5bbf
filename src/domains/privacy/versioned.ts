// Changes of synchronised rows, whatever their table: peers learn of them from the change record.
import type { VersionVector } from '../../storage/changes.ts';
import type { PrivacyStore } from './deps.ts';
import type { PersonalTable } from './personal-data.ts';
import { type AnyReader, keyOf, type Row } from './rows.ts';

/** Columns the changed row has to carry; none where the table is not synchronised. */
export async function recorded(
  store: PrivacyStore,
  trx: AnyReader,
  spec: PersonalTable,
  row: Row,
  kind: 'put' | 'delete',
): Promise<Row> {
  if (spec.entity === undefined) return {};
  const before = JSON.parse(String(row.version_vector)) as VersionVector;
  const entity_id = String(keyOf(spec, row)[0]);
  return { ...(await store.recordChange(trx as never, { entity: spec.entity, entity_id, kind, before })) };
}
