// What memories of the project said before.
import { sql } from 'kysely';
import { memoriesWithin } from './memories.ts';
import type { AnyReader, Found } from './part.ts';
import { tablePart } from './table-part.ts';

export const memoryVersionsPart = tablePart({
  name: 'memory_versions',
  table: 'memory_versions',
  key: ['memory_id', 'version'],
  history: true,
  immutable: true,
  columns: {
    memory_id: 'text',
    version: 'integer',
    change: 'text',
    snapshot: 'json',
    changed_at: 'text',
    changed_by: 'text',
  },
  within: (project) =>
    sql`memory_versions.memory_id in (select memories.memory_id from memories where ${memoriesWithin(project)})`,
  needs: (record) => [{ part: 'memories', key: [String(record.memory_id)] }],
  judge,
});

/** A memory that counts its own versions here gets none that it has still to come to. */
async function judge(db: AnyReader, found: readonly Found[]): Promise<readonly Found[]> {
  const absent = found.filter(({ finding }) => finding.kind === 'absent');
  const ids = [...new Set(absent.map(({ record }) => String(record.memory_id)))];
  if (ids.length === 0) return found;
  const rows = await db.selectFrom('memories').select(['memory_id', 'version']).where('memory_id', 'in', ids).execute();
  const versions = new Map(rows.map((row) => [String(row.memory_id), Number(row.version)]));
  return found.map((one) => {
    const version = versions.get(String(one.record.memory_id));
    if (one.finding.kind !== 'absent' || version === undefined || Number(one.record.version) < version) return one;
    return { ...one, finding: { kind: 'kept', reason: 'the memory has changes of its own here' } };
  });
}
