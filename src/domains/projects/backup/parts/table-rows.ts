// Rows of the table of a part, read by key: those of the project, and those that records of a backup are looked up in.
import type { JsonRecord } from '../canonical.ts';
import { type Columns, chunksOf, compareKeys, keyIn, keyName } from './columns.ts';
import type { AnyReader, Key, ProjectScope, Row, Where } from './part.ts';

interface Rows {
  readonly table: string;
  readonly key: readonly [string, ...string[]];
  within(project: ProjectScope): Where;
}

/** Few enough for the parameters of one statement. */
export const CHUNK_COUNT = 200;

export async function* readAll(
  { table, key, columns, within }: Rows & { readonly columns: Columns },
  record: (row: Row) => JsonRecord,
  db: AnyReader,
  project: ProjectScope,
): AsyncGenerator<readonly JsonRecord[]> {
  const [first] = key;
  const found = await db.selectFrom(table).select(first).distinct().where(within(project)).execute();
  const ids = found.map((row) => row[first] as string).sort((a, b) => compareKeys([a], [b]));
  for (const some of chunksOf(ids, CHUNK_COUNT)) {
    const rows = await db
      .selectFrom(table)
      .select([...Object.keys(columns), ...BESIDES(table)])
      .where(first, 'in', some)
      .where(within(project))
      .execute();
    yield rows.sort((a, b) => compareKeys(keyIn(key, a), keyIn(key, b))).map(record);
  }
}

/** Columns that are no fields and are looked at all the same. */
const BESIDES = (table: string): readonly string[] => (table === 'memories' ? ['identity_hash'] : []);

export async function rowsOf(
  { table, key }: Pick<Rows, 'table' | 'key'>,
  db: AnyReader,
  records: readonly JsonRecord[],
): Promise<ReadonlyMap<string, Row>> {
  const [first] = key;
  const out = new Map<string, Row>();
  const ids = [...new Set(records.map((record) => record[first] as string))];
  for (const some of chunksOf(ids, CHUNK_COUNT)) {
    const rows = await db.selectFrom(table).selectAll().where(first, 'in', some).execute();
    for (const row of rows) out.set(keyName(keyIn(key, row)), row);
  }
  return out;
}

/** Keys of a table's rows within the project. */
export async function keysWithin(spec: Rows, db: AnyReader, project: ProjectScope): Promise<Key[]> {
  const rows = await db
    .selectFrom(spec.table)
    .select([...spec.key])
    .where(spec.within(project))
    .execute();
  return rows.map((row) => keyIn(spec.key, row));
}
