// Reads a filled target once and compares it with what was carried: counts and content hashes, table by table.
import { failure } from '../../kernel/errors.ts';
import { EMPTY_HASH, extended, rowHash } from './digest.ts';
import {
  type Key,
  keyOf,
  type Row,
  type TableProgress,
  type Tables,
  type TransferSource,
  type TransferTarget,
} from './port.ts';
import type { CarriedTable } from './registry.ts';

export interface VerifiedTable {
  readonly table: string;
  readonly rows: number;
  /** SHA-256 over all rows in key order, the same at both ends. */
  readonly hash: string;
}

export interface VerifyContext {
  readonly source: TransferSource;
  readonly target: TransferTarget;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (table: string, rows: number) => void;
}

/** Rejects with `storage_corrupt` that names the table and the first key that differs. */
export async function verifyTable(
  ctx: VerifyContext,
  table: CarriedTable,
  carried: TableProgress,
): Promise<VerifiedTable> {
  const columns = await ctx.source.columns(table.table);
  let [rows, hash] = [0, EMPTY_HASH];
  for await (const row of rowsOf(ctx.target, table, ctx.signal)) {
    hash = extended(hash, columns, row);
    rows++;
    if (rows % PROGRESS_EVERY_ROWS === 0) ctx.onProgress(table.table, rows);
  }
  if (rows === carried.rows && hash === carried.hash) return { table: table.table, rows, hash };
  const key = await firstDifference(ctx, table, columns);
  throw failure(
    'storage_corrupt',
    `Verification failed: table ${table.table} has ${carried.rows} rows in ${ctx.source.place} and ${rows} in ${ctx.target.place}${key === undefined ? '' : `; the first that differs has the key ${JSON.stringify(key)}`}.`,
    'Nothing was put in place. Run it again with --restart; if it fails again, look for damage with `haivemind doctor`.',
    { details: { table: table.table, ...(key === undefined ? {} : { key: [...key] }) } },
  );
}

const PROGRESS_EVERY_ROWS = 5_000;

/** Every living memory can be found by its words. Rejects with `storage_corrupt`. */
export async function verifyTexts(target: TransferTarget): Promise<void> {
  const [texts, living] = [await target.texts(), await target.countLiving('memories')];
  if (texts === living) return;
  throw failure(
    'storage_corrupt',
    `Verification failed: ${target.place} has ${living} living memories, and ${texts} that can be searched.`,
    'Nothing was put in place. Run it again with --restart.',
  );
}

async function* rowsOf(tables: Tables, table: CarriedTable, signal: AbortSignal | undefined): AsyncGenerator<Row> {
  for (let after: Key | undefined; ; ) {
    signal?.throwIfAborted();
    const page = await tables.page(table, { after });
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    after = keyOf(table, last);
  }
}

async function firstDifference(
  { source, target, signal }: VerifyContext,
  table: CarriedTable,
  columns: readonly string[],
): Promise<Key | undefined> {
  const there = rowsOf(target, table, signal);
  for await (const row of rowsOf(source, table, signal)) {
    const { value, done } = await there.next();
    if (done) return keyOf(table, row);
    if (rowHash(columns, row) === rowHash(columns, value)) continue;
    const [mine, other] = [keyOf(table, row), keyOf(table, value)];
    return isBefore(other, mine) ? other : mine;
  }
  const { value, done } = await there.next();
  return done ? undefined : keyOf(table, value);
}

/** Texts by their bytes, as both engines sort them. */
function isBefore(a: Key, b: Key): boolean {
  for (const [index, value] of a.entries()) {
    const other = b[index];
    if (value === other) continue;
    if (typeof value === 'number' && typeof other === 'number') return value < other;
    return Buffer.compare(Buffer.from(String(value)), Buffer.from(String(other))) < 0;
  }
  return false;
}
