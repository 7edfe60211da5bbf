// After an erasure: PostgreSQL keeps deleted rows in its files until a vacuum passes. What that leaves is said.
import type pg from 'pg';
import type { TraceReport } from '../engine.ts';

const LEFT =
  "PostgreSQL's own files: vacuum freed the space of deleted rows for other rows; the server's log of changes, its backups " +
  'and replicas keep them for as long as they are set to. VACUUM FULL rewrites a table at once.';

/** Vacuums every table this user owns. */
export async function eraseTraces(pool: pg.Pool): Promise<TraceReport> {
  const { rows } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname = current_schema() and pg_has_role(tableowner, 'member') order by 1`,
  );
  for (const { name } of rows) await pool.query(`vacuum ${name}`);
  return { clean: false, left: LEFT };
}
