// What memories of the project said before.
import { sql } from 'kysely';
import { z } from 'zod';
import { limits } from '../../../../kernel/limits.ts';
import { CATEGORIES } from '../../../memory/index.ts';
import type { Json } from '../canonical.ts';
import { keyName } from './columns.ts';
import { anyCount, FIELDS, line, text } from './fields.ts';
import { memoriesWithin } from './memories.ts';
import type { AnyReader, Found, RestoreContext } from './part.ts';
import { vouchedBy } from './rights.ts';
import { tablePart } from './table-part.ts';

/** A JSON text that says this. */
const packed = (inside: z.ZodType<Json>) =>
  z.string().refine((value) => {
    try {
      return inside.safeParse(JSON.parse(value)).success;
    } catch {
      return false;
    }
  }, 'is not as it has to be');

/** As a row has it, with JSON in texts. Earlier programs knew no teams. */
const snapshot = z.strictObject({
  content: text(limits.content_length_max_chars),
  category: z.enum(CATEGORIES),
  context: text(limits.context_length_max_chars).nullable(),
  tags: packed(FIELDS.tags),
  metadata: packed(FIELDS.object),
  project_id: FIELDS['line?'],
  project: FIELDS['text?'],
  scope: FIELDS.scope,
  team_id: FIELDS['line?'].optional() as unknown as z.ZodType<Json>,
  importance: z.number().min(0).max(1),
  session_id: FIELDS['text?'],
  sequence: anyCount.nullable(),
  occurred_at: FIELDS['moment?'],
  valid_from: FIELDS['moment?'],
  valid_until: FIELDS['moment?'],
  supersedes: FIELDS['line?'],
  superseded_by: FIELDS['line?'],
  source: line(),
  format_version: z.enum(['v1', 'v2']),
});

export const memoryVersionsPart = tablePart({
  name: 'memory_versions',
  table: 'memory_versions',
  key: ['memory_id', 'version'],
  history: true,
  immutable: true,
  columns: {
    memory_id: 'line',
    version: 'version',
    change: 'line',
    snapshot: 'json',
    changed_at: 'moment',
    changed_by: 'line',
  },
  narrower: { snapshot: snapshot as unknown as z.ZodType<Json> },
  texts: { snapshot: 'snapshot' },
  within: (project) =>
    sql`memory_versions.memory_id in (select memories.memory_id from memories where ${memoriesWithin(project)})`,
  needs: (record) => [{ part: 'memories', key: [String(record.memory_id)] }],
  settled: vouchedBy(['changed_by']),
  judge,
});

/** Versions that a memory has still to come to are not its past. */
async function judge(_db: AnyReader, found: readonly Found[], { admitted }: RestoreContext): Promise<readonly Found[]> {
  return found.map((one) => {
    const { memory_id, version } = one.record;
    const memory = admitted.get('memories')?.get(keyName([String(memory_id)]));
    if (one.finding.kind !== 'absent' || (memory && Number(version) < memory.version)) return one;
    return { ...one, finding: { kind: 'kept', reason: 'the memory has changes of its own here' } };
  });
}
