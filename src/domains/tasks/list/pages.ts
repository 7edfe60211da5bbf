// Pages of tasks in the orders people ask for. Each ends where the next begins, whatever is made meanwhile.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import type { TaskRow } from '../record.ts';
import type { filtered } from './filter.ts';

export const ORDERS = ['priority', 'created', 'updated', 'due', 'sequence'] as const;
export type TaskOrder = (typeof ORDERS)[number];

interface SortKey {
  readonly column: RawBuilder<string | number>;
  readonly of: (row: TaskRow) => string;
  readonly descending?: boolean;
  readonly number?: boolean;
}

/** After every real time. */
const NEVER = '9999-12-31T23:59:59.999Z';
const id: SortKey = { column: sql`tasks.task_id`, of: (row) => row.task_id };
const priority: SortKey = { column: sql`tasks.priority`, of: (row) => String(row.priority), number: true };
const created: SortKey = { column: sql`tasks.created_at`, of: (row) => row.created_at };
const updated: SortKey = { column: sql`tasks.updated_at`, of: (row) => row.updated_at };
const due: SortKey = { column: sql`coalesce(tasks.due_at, ${NEVER})`, of: (row) => row.due_at ?? NEVER };
const newest = (key: SortKey): SortKey => ({ ...key, descending: true });

const KEYS: Readonly<Record<Exclude<TaskOrder, 'sequence'>, readonly SortKey[]>> = {
  priority: [priority, created, id],
  created: [newest(created), newest(id)],
  updated: [newest(updated), newest(id)],
  due: [due, id],
};

export interface TaskPage {
  readonly rows: readonly TaskRow[];
  readonly next_cursor: string | null;
}

/** Errors: `invalid_input` for a cursor of another order. */
export async function pageOf(
  query: ReturnType<typeof filtered>,
  order: Exclude<TaskOrder, 'sequence'>,
  limit: number,
  cursor: string | undefined,
): Promise<TaskPage> {
  const keys = KEYS[order];
  let page = query.selectAll().limit(limit + 1);
  if (cursor !== undefined) page = page.where(after(keys, decodeCursor(cursor, keys.length + 1)));
  for (const { column, descending } of keys) page = page.orderBy(column, descending ? 'desc' : 'asc');
  const rows = await page.execute();
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    rows: rows.slice(0, limit),
    next_cursor: last ? encodeCursor([...keys.map((key) => key.of(last)), 0]) : null,
  };
}

/** Keys of one order all go the same way. */
function after(keys: readonly SortKey[], values: readonly (string | number)[]): RawBuilder<SqlBool> {
  const columns = sql.join(keys.map(({ column }) => column));
  const bound = sql.join(keys.map(({ number }, i) => (number ? Number(values[i]) || 0 : String(values[i]))));
  return keys[0]?.descending ? sql`(${columns}) < (${bound})` : sql`(${columns}) > (${bound})`;
}
