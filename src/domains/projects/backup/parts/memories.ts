// Memories of the project that the caller may see: by its id, or by its name where they carry only that. Living ones: what
// is in the recycle bin is on its way out. Tags are fields of the record.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { z } from 'zod';
import { limits } from '../../../../kernel/limits.ts';
import { maySeeMemory } from '../../../access/index.ts';
import {
  CATEGORIES,
  IDENTITIES,
  type Identity,
  identityAs,
  identityOf,
  restoreMemories,
  visibleMemories,
} from '../../../memory/index.ts';
import type { JsonRecord } from '../canonical.ts';
import { type Columns, chunksOf, keyName, recordOf, rowOf, schemaOf } from './columns.ts';
import { anyCount, text } from './fields.ts';
import type {
  AnyReader,
  AnyTrx,
  Found,
  Key,
  PlaceHere,
  ProjectPart,
  ProjectScope,
  RestoreContext,
  Row,
} from './part.ts';
import { IN_THE_WAY, mayRemoveMemory, originOf, placedRecord, refuseMemory } from './rights.ts';
import { tablePart } from './table-part.ts';
import { CHUNK_COUNT, keysWithin } from './table-rows.ts';

const columns: Columns = {
  memory_id: 'line',
  content: 'text',
  category: 'text',
  context: 'text?',
  tags: 'tags',
  metadata: 'object',
  project_id: 'line?',
  project: 'text?',
  scope: 'scope',
  team_id: 'line?',
  importance: 'real',
  session_id: 'text?',
  sequence: 'integer?',
  external_id: 'text?',
  occurred_at: 'moment?',
  valid_from: 'moment?',
  valid_until: 'moment?',
  supersedes: 'line?',
  superseded_by: 'line?',
  user_id: 'line',
  agent_id: 'line',
  machine_id: 'line',
  source: 'line',
  format_version: 'line',
  version: 'version',
  created_at: 'moment',
  updated_at: 'moment',
};

const ALIVE = { deleted_at: null, deleted_by: null, delete_reason: null, purge_at: null, merged_into: null };

/** By the id of the project; by its name alone only in the project's own place, for others may use the same name. */
export function memoriesWithin({ project_id, name, place, principal }: ProjectScope): RawBuilder<SqlBool> {
  return sql<SqlBool>`((memories.project_id = ${project_id}
    or (memories.project_id is null and memories.project in (${project_id}, ${name}) and ${inPlace(place)}))
    and memories.deleted_at is null and ${visibleMemories(principal)})`;
}

function inPlace(place: PlaceHere | undefined): RawBuilder<SqlBool> {
  if (!place) return sql<SqlBool>`1 = 0`;
  const there = sql<SqlBool>`memories.scope = ${place.scope}`;
  if (place.scope === 'shared') return there;
  if (place.scope === 'team') return sql<SqlBool>`${there} and memories.team_id = ${place.team_id}`;
  return sql<SqlBool>`${there} and memories.user_id = ${place.user_id}`;
}

const table = 'memories';
const key = ['memory_id'] as const;

type Identified = Parameters<typeof identityOf>[0];

/** A record and which identity it has, as a row has it. */
function asRow(record: JsonRecord): Row & { readonly identity_hash: string } {
  const { identity, ...fields } = record;
  const row = rowOf(columns, fields);
  return { ...row, ...ALIVE, identity_hash: identityAs(row as unknown as Identified, identity as Identity) };
}

const base = tablePart({
  name: 'memories',
  table,
  key,
  time: 'updated_at',
  ignored: ['version', 'updated_at'],
  columns,
  within: memoriesWithin,
  record: (row) => ({ ...recordOf(columns, row), identity: identityOf(row as unknown as Identified) }),
  needs: ({ project_id }) => (project_id === null ? [] : [{ part: 'project', key: [String(project_id)] }]),
  placed: placedRecord,
  texts: { content: 'text', context: 'text', metadata: 'metadata' },
  refuse: refuseMemory,
  judge,
  removable: (db, project) => keysWithin({ table, key, within: memoriesWithin }, db, project),
  refuseRemoval,
  remove,
});

export const memoriesPart: ProjectPart = {
  ...base,
  schema: schemaOf(
    { ...columns, identity: 'text' },
    {
      content: text(limits.content_length_max_chars),
      category: z.enum(CATEGORIES),
      context: text(limits.context_length_max_chars).nullable(),
      importance: z.number().min(0).max(1),
      sequence: anyCount.nullable(),
      format_version: z.enum(['v1', 'v2']),
      identity: z.enum(IDENTITIES),
    },
  ),
  async add(trx, found, ctx) {
    await restore(trx, ctx, { add: found.map(({ record }) => asRow(record)), replace: [], remove: [] });
  },
  async replace(trx, found, ctx) {
    const replace = found.map(({ record, row }) => {
      const { version: _, updated_at: _at, ...values } = asRow(record);
      return { row, values: { ...values, ...originOf(row ?? {}) } };
    });
    await restore(trx, ctx, { add: [], replace, remove: [] });
  },
};

type Restored = { readonly [Key in 'add' | 'replace' | 'remove']: readonly object[] };

async function restore(trx: AnyTrx, ctx: RestoreContext, what: Restored): Promise<void> {
  const { principal, deps } = ctx;
  const caller = { principal, project: undefined };
  ctx.touched.push(...(await restoreMemories(deps.memory, trx as never, what as never, caller)));
}

/** Out of the recycle bin a text may come only where nobody said the same meanwhile. */
async function judge(db: AnyReader, found: readonly Found[], ctx: RestoreContext): Promise<readonly Found[]> {
  const out: Found[] = [];
  for (const some of chunksOf(found, CHUNK_COUNT)) {
    const open = some.filter(({ finding, row }) => finding.kind !== 'same' || row?.deleted_at !== null);
    const hashes = new Map(open.map(({ record }) => [record.memory_id, asRow(record).identity_hash]));
    const externals = open.flatMap(({ record }) => (record.external_id === null ? [] : [String(record.external_id)]));
    const same = await others(db, 'identity_hash', [...hashes.values()]);
    const imported = await others(db, 'external_id', externals);
    for (const one of some) {
      const { record, row } = one;
      const identity = asRow(record).identity_hash;
      const first = ctx.identities.get(identity) ?? String(record.memory_id);
      ctx.identities.set(identity, first);
      if (first !== record.memory_id) {
        out.push({ ...one, finding: { kind: 'conflict', reason: `${first} of the backup says the same` } });
        continue;
      }
      const hash = hashes.get(record.memory_id ?? '');
      const twin = same.find(
        (other) => other.identity_hash === hash && other.deleted_at === null && !passes(other, record, ctx),
      );
      const source = imported.find(
        (other) =>
          other.external_id === record.external_id &&
          other.user_id === record.user_id &&
          other.memory_id !== record.memory_id,
      );
      if (hash !== undefined && twin)
        out.push(kept(one, `the same text is here as ${String(twin.memory_id)}`, twin, ctx));
      else if (hash !== undefined && source)
        out.push(kept(one, `it was imported here as ${String(source.memory_id)}`, source, ctx));
      else if (one.finding.kind === 'same' && row?.deleted_at !== null)
        out.push({ ...one, finding: { kind: 'older' } });
      else out.push(one);
    }
  }
  return out;
}

/** What is told of another row, the caller may see; of any other, that there is something. */
function kept(one: Found, reason: string, other: Row, { principal }: RestoreContext): Found {
  const seen = maySeeMemory(principal, other as never).allowed;
  return { ...one, finding: seen ? { kind: 'kept', reason } : { kind: 'conflict', reason: IN_THE_WAY } };
}

/** Itself, or one that gives its place up in the same restore. */
function passes(other: Row, record: JsonRecord, { mode, removing, inBackup }: RestoreContext): boolean {
  const id = [String(other.memory_id)];
  if (other.memory_id === record.memory_id || removing.get('memories')?.has(keyName(id))) return true;
  return mode === 'overwrite' && inBackup('memories', id);
}

async function others(db: AnyReader, column: string, values: readonly string[]): Promise<readonly Row[]> {
  if (values.length === 0) return [];
  return db
    .selectFrom(table)
    .select(['memory_id', 'identity_hash', 'external_id', 'user_id', 'scope', 'team_id', 'deleted_at'])
    .where(column, 'in', values)
    .execute();
}

async function refuseRemoval(db: AnyReader, keys: readonly Key[], ctx: RestoreContext): Promise<readonly Key[]> {
  const refused: Key[] = [];
  for await (const rows of rowsIn(db, keys))
    for (const row of rows) if (!mayRemoveMemory(row, ctx)) refused.push([String(row.memory_id)]);
  return refused;
}

async function remove(trx: AnyTrx, keys: readonly Key[], ctx: RestoreContext): Promise<void> {
  for await (const rows of rowsIn(trx, keys)) await restore(trx, ctx, { add: [], replace: [], remove: rows });
}

async function* rowsIn(db: AnyReader, keys: readonly Key[]): AsyncGenerator<Row[]> {
  for (const some of chunksOf(keys, CHUNK_COUNT)) {
    const ids = some.map(([id]) => String(id));
    yield await db.selectFrom(table).selectAll().where('memory_id', 'in', ids).execute();
  }
}
