// Reads the tables of a store in one schema of a PostgreSQL database by pages in key order.
import { PAGE_MAX_BYTES, PAGE_MAX_ROWS } from './page.ts';
import type { Row, Tables } from './port.ts';
import type { TransferClient } from './postgres-client.ts';

interface Column {
  readonly name: string;
  readonly type: string;
}

/** `schema` as it is spelt, without quotes. */
export function postgresTables(client: TransferClient, schema: string): Tables {
  const known = new Map<string, Promise<Column[]>>();
  const columns = (table: string): Promise<Column[]> => {
    const found =
      known.get(table) ??
      client.rows<Column>(
        'select column_name::text as name, data_type::text as type from information_schema.columns where table_schema = $1 and table_name = $2 order by column_name collate "C"',
        [schema, table],
      );
    known.set(table, found);
    return found;
  };
  const count = async (from: string): Promise<number> => {
    const found = await client.rows<{ rows: number }>(`select count(*) as rows from ${from}`);
    return found[0]?.rows ?? 0;
  };
  return {
    kind: 'postgres',
    place: client.place,
    names: () => tableNames(client, schema),
    columns: async (table) => (await columns(table)).map(({ name }) => name),
    count: (table) => count(inSchema(schema, table)),
    countLiving: (table) => count(`${inSchema(schema, table)} where deleted_at is null`),
    async page({ table, key }, { after, upto }) {
      const all = await columns(table);
      const names = all.map(({ name }) => `"${name}"`).join(', ');
      const order = key.map((column) => `"${column}"`).join(', ');
      const values = [...(after ?? []), ...(upto ?? [])];
      const places = (from: number) => key.map((_, index) => `$${from + index}`).join(', ');
      const bounds = [
        after ? `(${order}) > (${places(1)})` : '',
        upto ? `(${order}) <= (${places(1 + (after?.length ?? 0))})` : '',
      ].filter(Boolean);
      const where = bounds.length > 0 ? `where ${bounds.join(' and ')}` : '';
      // What the rows in front of a row weigh is known without reading them: only the page itself travels.
      return client.rows<Row>(
        `select ${names} from (
           select *, sum(bytes_of_row) over (order by ${order}) - bytes_of_row as bytes_before from (
             select ${names}, ${weight(all)} as bytes_of_row
             from ${inSchema(schema, table)} ${where} order by ${order} limit ${PAGE_MAX_ROWS}) p) q
         where bytes_before < ${PAGE_MAX_BYTES} order by ${order}`,
        values,
      );
    },
  };
}

export async function tableNames(client: TransferClient, schema: string): Promise<string[]> {
  const found = await client.rows<{ name: string }>(
    "select c.relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind in ('r', 'p') order by 1",
    [schema],
  );
  return found.map(({ name }) => name);
}

/** A table with its schema, quoted. */
export function inSchema(schema: string, table: string): string {
  return `${quoted(schema)}.${quoted(table)}`;
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function weight(columns: readonly Column[]): string {
  const long = columns.filter(({ type }) => type === 'text' || type === 'bytea');
  return ['8', ...long.map(({ name }) => `coalesce(octet_length("${name}"), 0)`)].join(' + ');
}
