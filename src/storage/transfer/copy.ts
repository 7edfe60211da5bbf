// Carries one table: new rows where the target is empty, differences where it holds rows of an earlier moment.
import { EMPTY_HASH, extended, rowHash } from './digest.ts';
import { type Key, keyOf, type Row, type TableProgress, type TransferSource, type TransferTarget } from './port.ts';
import type { CarriedTable } from './registry.ts';

export interface CopyContext {
  readonly source: TransferSource;
  readonly target: TransferTarget;
  readonly mode: 'copy' | 'compare';
  readonly signal: AbortSignal | undefined;
  /** Called after each batch. */
  readonly onProgress: (table: string, rows: number) => void;
}

const START: TableProgress = { after: null, rows: 0, hash: EMPTY_HASH, done: false };

/** Goes on where the target's journal says. Resolves with the table's progress when all of it is there. */
export async function carryTable(ctx: CopyContext, table: CarriedTable): Promise<TableProgress> {
  const columns = await ctx.source.columns(table.table);
  let progress = (await ctx.target.progress(table.table)) ?? START;
  while (!progress.done) {
    ctx.signal?.throwIfAborted();
    const rows = await ctx.source.page(table, { after: progress.after ?? undefined });
    const last = rows.at(-1);
    const upto = last && keyOf(table, last);
    const difference =
      ctx.mode === 'copy'
        ? { remove: [], insert: rows }
        : await differences(ctx.target, table, { columns, rows, after: progress.after ?? undefined, upto });
    let { hash } = progress;
    for (const row of rows) hash = extended(hash, columns, row);
    progress = { after: upto ?? progress.after, rows: progress.rows + rows.length, hash, done: upto === undefined };
    await ctx.target.write({ table, ...difference, progress });
    ctx.onProgress(table.table, progress.rows);
  }
  return progress;
}

interface Part {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  readonly after: Key | undefined;
  readonly upto: Key | undefined;
}

/** What makes a range of the target the same as this page. Holds hashes of the target's rows, not the rows. */
async function differences(target: TransferTarget, table: CarriedTable, { columns, rows, after, upto }: Part) {
  const there = new Map<string, string>();
  const keys = new Map<string, Key>();
  for (let from = after; ; ) {
    const page = await target.page(table, { after: from, upto });
    for (const row of page) {
      const key = keyOf(table, row);
      const name = JSON.stringify(key);
      there.set(name, rowHash(columns, row));
      keys.set(name, key);
    }
    const last = page.at(-1);
    if (!last) break;
    from = keyOf(table, last);
  }
  const insert: Row[] = [];
  for (const row of rows) {
    const name = JSON.stringify(keyOf(table, row));
    if (there.get(name) === rowHash(columns, row)) keys.delete(name);
    else insert.push(row);
  }
  return { remove: [...keys.values()], insert };
}
