// A table of a migration from its description: columns with types, key and uniqueness. Released migrations rely on it: what
// it makes never changes.
import type { CreateTableBuilder, Kysely } from 'kysely';
import type { SchemaDialect } from '../dialect.ts';

/** `type` of a column; a question mark allows null. */
export type ColumnSpec = 'text' | 'text?' | 'integer' | 'integer?' | 'bytes' | 'bytes?';

export interface TableSpec {
  readonly table: string;
  readonly columns: Readonly<Record<string, ColumnSpec>>;
  readonly key: readonly string[];
  readonly unique?: readonly string[];
}

export async function createTable(db: Kysely<unknown>, types: SchemaDialect, spec: TableSpec): Promise<void> {
  let table: CreateTableBuilder<string, string> = db.schema.createTable(spec.table);
  for (const [column, kind] of Object.entries(spec.columns)) {
    const type = types[kind.replace('?', '') as 'text' | 'integer' | 'bytes'];
    table = table.addColumn(column, type, (c) => (kind.endsWith('?') ? c : c.notNull()));
  }
  table = table.addPrimaryKeyConstraint(`${spec.table}_key`, [...spec.key] as never);
  if (spec.unique) table = table.addUniqueConstraint(`${spec.table}_unique`, [...spec.unique] as never);
  await table.execute();
}
