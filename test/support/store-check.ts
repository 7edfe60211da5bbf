// Opens a store that no process uses any more and checks that all its parts tell the same story.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface StoreFindings {
  /** What does not fit together; empty for a sound store. */
  readonly problems: readonly string[];
  readonly living: number;
  readonly deleted: number;
  readonly changes: number;
  /** Memories that wait for their vector. */
  readonly queued: number;
}

/** Each query returns what must not exist: rows that tell of half a write. */
const CONTRADICTIONS: Readonly<Record<string, string>> = {
  'living without text in the full-text index':
    'select row_id from memories where deleted_at is null and row_id not in (select id from memory_fts_docsize)',
  'text in the full-text index of nothing living':
    'select id from memory_fts_docsize where id not in (select row_id from memories where deleted_at is null)',
  'tag in the record but not in the tag table': `select m.row_id from memories m, json_each(m.tags) t where m.deleted_at is null
      and not exists (select 1 from memory_tags g where g.row_id = m.row_id and g.tag = t.value)`,
  'tag in the tag table but not in a living record': `select g.row_id from memory_tags g where not exists (
      select 1 from memories m, json_each(m.tags) t where m.row_id = g.row_id and m.deleted_at is null and t.value = g.tag)`,
  'record whose newest change is not in the change record': `select m.memory_id from memories m where not exists (
      select 1 from changes c where c.entity_id = m.memory_id and c.origin = m.origin and c.origin_sequence = m.origin_sequence
        and c.clock = m.clock and c.version_vector = m.version_vector)`,
  'record with another number of changes than its version says':
    'select memory_id from memories m where version <> (select count(*) from changes c where c.entity_id = m.memory_id)',
  'record without all its earlier versions': `select memory_id from memories m where version - 1 <>
      (select count(*) from memory_versions v where v.memory_id = m.memory_id and v.version between 1 and m.version - 1)`,
  'versions of no record':
    'select memory_id from memory_versions where memory_id not in (select memory_id from memories)',
  'changes with a gap in their sequence': `select o.origin from origins o where o.last_sequence <>
      (select count(*) from changes c where c.origin = o.origin) or o.last_sequence <>
      (select max(origin_sequence) from changes c where c.origin = o.origin)`,
  'clock that runs backwards': `select seq from (select seq, clock, lag(clock) over (partition by origin order by origin_sequence) as before
      from changes) where before >= clock`,
  'living with neither a vector nor a place in the queue': `select row_id from memories where deleted_at is null
      and row_id not in (select row_id from memory_vectors) and row_id not in (select row_id from memory_vector_queue)`,
  'vector of a memory that still waits for one':
    'select row_id from memory_vectors where row_id in (select row_id from memory_vector_queue)',
  'vector, queue row or signature of nothing living': `select row_id from (select row_id from memory_vectors union
      select row_id from memory_vector_queue union select row_id from memory_signatures)
      where row_id not in (select row_id from memories where deleted_at is null)`,
  'vectors with a gap in their chunks':
    'select row_id from memory_vectors group by row_id having count(*) <> max(chunk) + 1 or count(*) <> count(distinct chunk)',
  'two living memories that are the same':
    'select identity_hash from memories where deleted_at is null group by identity_hash having count(*) > 1',
};

/** Runs SQLite's own checks, FTS5's, and the ones above. */
export function checkStore(data_dir: string): StoreFindings {
  const db = new DatabaseSync(join(data_dir, 'haivemind.db'), { timeout: 5_000 });
  try {
    const problems: string[] = [];
    const integrity = db.prepare('pragma integrity_check').all() as { integrity_check: string }[];
    for (const { integrity_check } of integrity) if (integrity_check !== 'ok') problems.push(integrity_check);
    try {
      db.exec("insert into memory_fts(memory_fts) values('integrity-check')");
    } catch (error) {
      problems.push(`FTS5: ${String(error)}`);
    }
    for (const [name, query] of Object.entries(CONTRADICTIONS)) {
      const rows = db.prepare(query).all();
      if (rows.length > 0) problems.push(`${rows.length} x ${name}: ${JSON.stringify(rows.slice(0, 3))}`);
    }
    const count = (query: string): number => Number(db.prepare(`select count(*) as n from ${query}`).get()?.n);
    return {
      problems,
      living: count('memories where deleted_at is null'),
      deleted: count('memories where deleted_at is not null'),
      changes: count('changes'),
      queued: count('memory_vector_queue'),
    };
  } finally {
    db.close();
  }
}

/** How many memories wait for their vector, read beside the processes that make them. */
export function queuedCount(data_dir: string): number {
  const db = new DatabaseSync(join(data_dir, 'haivemind.db'), { readOnly: true, timeout: 5_000 });
  try {
    return Number(db.prepare('select count(*) as n from memory_vector_queue').get()?.n);
  } finally {
    db.close();
  }
}
