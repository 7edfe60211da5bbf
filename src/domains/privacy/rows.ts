// SQL over any table that is described as personal: whose rows they are, pages of them, deleting and renaming.
import { type Kysely, type RawBuilder, type SqlBool, sql } from 'kysely';
import { columnsOf, type PersonalTable, personalTable } from './personal-data.ts';

export type Row = Readonly<Record<string, unknown>>;
/** A database or a transaction, whatever its tables. */
export type AnyReader = Kysely<never>;

/** Condition: the row is this user's. False where rows of this table belong to nobody. */
export function isOwn(spec: PersonalTable, user_id: string): RawBuilder<SqlBool> {
  const [owner] = columnsOf(spec, 'owner');
  if (owner !== undefined) {
    const own = sql<SqlBool>`${ref(spec, owner)} = ${user_id}`;
    if (spec.shared_if !== undefined) return sql<SqlBool>`(${own} and not (${sql.raw(spec.shared_if)}))`;
    return spec.when ? sql<SqlBool>`(${own} and ${ref(spec, spec.when.column)} = ${spec.when.value})` : own;
  }
  if (!spec.parent) return sql<SqlBool>`1 = 0`;
  const parent = personalTable(spec.parent.table);
  return sql<SqlBool>`${ref(spec, spec.parent.column)} in (
    select ${ref(parent, spec.parent.key)} from ${sql.table(parent.table)} where ${isOwn(parent, user_id)})`;
}

/** Condition: the row is somebody else's and names this user. */
export function isNamed(spec: PersonalTable, user_id: string): RawBuilder<SqlBool> {
  const names = namingColumns(spec).map((column) => sql<SqlBool>`${ref(spec, column)} = ${user_id}`);
  const any = names.length === 0 ? sql<SqlBool>`1 = 0` : sql<SqlBool>`(${sql.join(names, sql` or `)})`;
  return sql<SqlBool>`(${any} and not ${owned(spec, user_id)})`;
}

/** Columns that may name the user in a row that is not the user's own. */
export function namingColumns(spec: PersonalTable): string[] {
  return columnsOf(spec, 'name', ...(spec.shared_if === undefined ? [] : (['owner'] as const)));
}

/** As `isOwn`, and false rather than unknown where there is no owner. */
function owned(spec: PersonalTable, user_id: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`coalesce(${isOwn(spec, user_id)}, false)`;
}

export async function countRows(db: AnyReader, spec: PersonalTable, condition: RawBuilder<SqlBool>): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from ${sql.table(spec.table)} where ${condition}`.execute(db);
  return Number(rows[0]?.count ?? 0);
}

export interface PageOf {
  readonly condition: RawBuilder<SqlBool>;
  readonly columns: readonly string[];
  /** Key of the last row of the page before. */
  readonly after?: readonly (string | number)[] | undefined;
  readonly limit: number;
}

/** Rows in the order of their key, which is always among the columns. */
export async function pageOf(db: AnyReader, spec: PersonalTable, page: PageOf): Promise<readonly Row[]> {
  const key = spec.key.map((column) => ref(spec, column));
  const columns = [...new Set([...spec.key, ...page.columns])].map((column) => ref(spec, column));
  const after = page.after
    ? sql<SqlBool>`(${sql.join(key)}) > (${sql.join(page.after.map((part) => sql`${part}`))})`
    : sql<SqlBool>`1 = 1`;
  const { rows } = await sql<Row>`
    select ${sql.join(columns)} from ${sql.table(spec.table)}
    where ${after} and ${page.condition} order by ${sql.join(key)} limit ${page.limit}`.execute(db);
  return rows;
}

export function keyOf(spec: PersonalTable, row: Row): (string | number)[] {
  return spec.key.map((column) => row[column] as string | number);
}

export async function deleteRow(trx: AnyReader, spec: PersonalTable, row: Row): Promise<void> {
  await sql`delete from ${sql.table(spec.table)} where ${isRow(spec, row)}`.execute(trx);
}

export async function updateRow(trx: AnyReader, spec: PersonalTable, row: Row, values: Row): Promise<void> {
  const sets = Object.entries(values).map(([column, value]) => sql`${sql.ref(column)} = ${value}`);
  if (sets.length > 0)
    await sql`update ${sql.table(spec.table)} set ${sql.join(sets)} where ${isRow(spec, row)}`.execute(trx);
}

function isRow(spec: PersonalTable, row: Row): RawBuilder<SqlBool> {
  const parts = spec.key.map((column) => sql<SqlBool>`${sql.ref(column)} = ${row[column]}`);
  return sql<SqlBool>`${sql.join(parts, sql` and `)}`;
}

function ref(spec: PersonalTable, column: string) {
  return sql.ref(`${spec.table}.${column}`);
}
