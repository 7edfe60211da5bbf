// After an erasure the file must not hold what was erased: SQLite leaves deleted text in free pages and in the log, and
// FTS5 keeps the words of deleted rows until its segments are merged.
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import type { TraceReport } from '../engine.ts';
import { isBusy, storageError } from './errors.ts';

/** Other processes write for moments; a copy or an import may take longer. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 20;

/**
 * Merges the text index, rewrites the file without its free pages and cuts the log. Each of these holds the write lock
 * and this process while it runs; docs/security.md has the times. A connection of its own: the one that writes may be in
 * a transaction of somebody else, which is waited for.
 */
export async function eraseTraces(file: string, patience_ms: number = PATIENCE_MS): Promise<TraceReport> {
  const raw = new DatabaseSync(file, { timeout: 0 });
  try {
    // A copy of the whole store would not fit into memory; the temporary file holds only what was not erased.
    raw.exec('pragma temp_store = file; pragma cache_size = -16000;');
    const deadline = performance.now() + patience_ms;
    const left: string[] = [];
    const merged = await patiently(deadline, () => {
      raw.exec("insert into memory_fts(memory_fts) values ('optimize')");
      return true;
    });
    if (!merged) left.push('words in the text index');
    const rewritten = await patiently(deadline, () => {
      raw.exec('vacuum');
      return true;
    });
    if (!rewritten) left.push('free pages of the file');
    const cut = await patiently(
      deadline,
      () => Number(raw.prepare('pragma wal_checkpoint(truncate)').get()?.busy) === 0,
    );
    if (!cut) left.push('the write-ahead log');
    return { clean: left.length === 0, left: left.length === 0 ? '' : `${left.join(', ')}: ${AGAIN}` };
  } catch (error) {
    throw storageError(error, file);
  } finally {
    raw.close();
  }
}

const AGAIN = 'other processes kept the store busy. Run the erasure again when they are quiet.';

/** Tries until it succeeds; false where others were in the way all the time. */
async function patiently(deadline: number, action: () => boolean): Promise<boolean> {
  for (;;) {
    try {
      if (action()) return true;
    } catch (error) {
      if (!isBusy(error)) throw error;
    }
    if (performance.now() > deadline) return false;
    await setTimeout(RETRY_MS);
  }
}
