// SQLite's spelling of what engines spell differently.
import { type Kysely, sql } from 'kysely';
import type { SchemaDialect, SqlDialect } from '../dialect.ts';
import { textIndexDdl } from '../text/fts5.ts';

export const sqliteFragments: SqlDialect = {
  clock: {},
  inList: (column, ids) => sql`${sql.ref(column)} in (select value from json_each(${JSON.stringify(ids)}))`,
  rangeTable: (ranges) =>
    sql`(select value ->> 'session_id' as session_id, value ->> 'from' as lowest, value ->> 'to' as highest from json_each(${JSON.stringify(ranges)}))`,
  distinctList: (column) => sql`group_concat(distinct ${sql.ref(column)})`,
  async collectIds(db, query) {
    // One JSON text instead of a row object each: three times as fast for many ids.
    const found = await (db as Kysely<never>)
      .selectFrom(query.as('passing') as never)
      .select(sql<string>`json_group_array(passing.row_id)`.as('ids') as never)
      .executeTakeFirst();
    const ids = (found as { ids: string } | undefined)?.ids;
    return ids === undefined ? [] : (JSON.parse(ids) as number[]);
  },
  // One transaction writes at a time: nothing it reads can change under it.
  forChange: (query) => query,
  unclaimed: (query) => query,
  serialise: async () => {},
};

export const sqliteSchema: SchemaDialect = {
  text: 'text',
  integer: 'integer',
  real: 'real',
  bytes: 'blob',
  key: 'integer',
  asKey: (column) => column.primaryKey().autoIncrement(),
  keyOnly: (table) => table.modifyEnd(sql`without rowid`) as typeof table,
  textIndexDdl,
  ownDdl: [],
};
