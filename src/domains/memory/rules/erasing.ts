// Erasing a person: all memories they wrote destroyed, their name in others' rows replaced, mentions taken out of texts.
// Everything goes in small commits and can be run again: what is done is not found any more.
import { type Expression, type SqlBool, sql } from 'kysely';
import { toIso } from '../../../kernel/clock.ts';
import type { VersionVector } from '../../../storage/changes.ts';
import type { MemoryRow, NewMemoryRow } from '../record.ts';
import { findLivingByIdentity, type MemoryTrx, purgeRow, updateRow } from '../repository.ts';
import { announce, renewVectors } from './change.ts';
import type { RuleDeps } from './deps.ts';
import { identityHash } from './identity.ts';

/** Rows in one commit: keeps the write lock short. */
const BATCH_COUNT = 100;

/** Runs in every transaction before anything is changed; throws to stop. */
export type ErasureGuard = (trx: MemoryTrx) => Promise<void>;

export interface ErasedMemories {
  readonly memories: number;
  readonly memory_versions: number;
  readonly memory_tags: number;
}

/** Destroys every memory of the user, whatever its scope, living or deleted. */
export async function eraseMemoriesOf(deps: RuleDeps, user_id: string, guard: ErasureGuard): Promise<ErasedMemories> {
  const sum = { memories: 0, memory_versions: 0, memory_tags: 0 };
  for (;;) {
    const batch = await deps.store.write(async (trx) => {
      await guard(trx);
      const rows = await trx
        .selectFrom('memories')
        .selectAll()
        .where('user_id', '=', user_id)
        .orderBy('row_id')
        .limit(BATCH_COUNT)
        .execute();
      if (rows.length === 0) return { rows, memory_versions: 0, memory_tags: 0 };
      const memory_ids = rows.map((row) => row.memory_id);
      const versions = await trx.deleteFrom('memory_versions').where('memory_id', 'in', memory_ids).executeTakeFirst();
      const row_ids = rows.map((row) => row.row_id);
      const tags = await trx.deleteFrom('memory_tags').where('row_id', 'in', row_ids).executeTakeFirst();
      for (const row of rows) await purgeRow(deps.store, trx, row);
      return { rows, memory_versions: Number(versions.numDeletedRows), memory_tags: Number(tags.numDeletedRows) };
    });
    deps.vectors.forget(batch.rows.map((row) => row.row_id));
    for (const row of batch.rows) deps.changed(row.memory_id);
    sum.memories += batch.rows.length;
    sum.memory_versions += batch.memory_versions;
    sum.memory_tags += batch.memory_tags;
    if (batch.rows.length < BATCH_COUNT) return sum;
  }
}

/** Puts a pseudonym where the user is named as the one who deleted or changed a memory of somebody else. */
export async function renameInMemories(
  deps: RuleDeps,
  user_id: string,
  pseudonym: string,
  guard: ErasureGuard,
): Promise<Pick<ErasedMemories, 'memories' | 'memory_versions'>> {
  let memories = 0;
  for (;;) {
    const rows = await deps.store.write(async (trx) => {
      await guard(trx);
      const found = await trx
        .selectFrom('memories')
        .selectAll()
        .where('deleted_by', '=', user_id)
        .orderBy('row_id')
        .limit(BATCH_COUNT)
        .execute();
      for (const row of found) await rename(deps, trx, row, pseudonym);
      return found;
    });
    for (const row of rows) deps.changed(row.memory_id);
    memories += rows.length;
    if (rows.length < BATCH_COUNT) break;
  }
  const versions = await deps.store.write(async (trx) => {
    await guard(trx);
    return trx
      .updateTable('memory_versions')
      .set({ changed_by: pseudonym })
      .where('changed_by', '=', user_id)
      .executeTakeFirst();
  });
  return { memories, memory_versions: Number(versions.numUpdatedRows) };
}

/** No version is kept of it: that would be what is to go. */
async function rename(deps: RuleDeps, trx: MemoryTrx, row: MemoryRow, pseudonym: string): Promise<void> {
  const before = JSON.parse(row.version_vector) as VersionVector;
  await deps.store.beforeChange?.(trx, row.memory_id);
  const kind = row.deleted_at === null ? 'put' : 'delete';
  const versioned = await deps.store.recordChange(trx, { entity: 'memory', entity_id: row.memory_id, kind, before });
  await trx
    .updateTable('memories')
    .set({ deleted_by: pseudonym, ...versioned })
    .where('row_id', '=', row.row_id)
    .execute();
}

export interface Mentions {
  /** The user whose own memories are not looked at. */
  readonly user_id: string;
  /** Columns that hold words. */
  readonly columns: readonly (keyof NewMemoryRow & string)[];
  /** True in SQL for every text that may hold a mention, and for some others. */
  likely(column: string): Expression<SqlBool>;
  /** The text without the mention; the same text where there is none. */
  replace(text: string): string;
}

/** Memories of others that mention the user, in their text of now or an earlier one. */
export async function countMentions(deps: Pick<RuleDeps, 'store'>, mentions: Mentions): Promise<number> {
  let count = 0;
  for (let after = 0; ; ) {
    const rows = await likelyRows(deps.store.db, mentions, after);
    for (const row of rows) {
      const versions = await changedVersions(deps.store.db, row.memory_id, mentions);
      if (versions.length > 0 || Object.keys(changedColumns(row, mentions)).length > 0) count++;
    }
    const last = rows.at(-1);
    if (!last || rows.length < BATCH_COUNT) return count;
    after = last.row_id;
  }
}

/** Takes the mentions out of memories of others, earlier versions included. Returns how many memories were changed. */
export async function replaceMentions(
  deps: RuleDeps,
  mentions: Mentions,
  pseudonym: string,
  guard: ErasureGuard,
): Promise<number> {
  let count = 0;
  for (let after = 0; ; ) {
    const from = after;
    const { rows, written } = await deps.store.write(async (trx) => {
      await guard(trx);
      const found = await likelyRows(trx, mentions, from);
      const changed: MemoryRow[] = [];
      for (const row of found) {
        const next = await replaceIn(deps, trx, row, mentions, pseudonym);
        if (next) changed.push(next);
      }
      return { rows: found, written: changed };
    });
    for (const row of written) row.deleted_at === null ? announce(deps, row) : deps.changed(row.memory_id);
    count += written.length;
    const last = rows.at(-1);
    if (!last || rows.length < BATCH_COUNT) return count;
    after = last.row_id;
  }
}

type MentionReader = Pick<MemoryTrx, 'selectFrom'>;

function likelyRows(db: MentionReader, mentions: Mentions, after: number): Promise<MemoryRow[]> {
  const inColumns = mentions.columns.map((column) => mentions.likely(`memories.${column}`));
  const inVersions = sql<SqlBool>`memories.memory_id in (
    select memory_versions.memory_id from memory_versions where ${mentions.likely('memory_versions.snapshot')})`;
  return db
    .selectFrom('memories')
    .selectAll()
    .where('row_id', '>', after)
    .where('user_id', '<>', mentions.user_id)
    .where((eb) => eb.or([...inColumns, inVersions]))
    .orderBy('row_id')
    .limit(BATCH_COUNT)
    .execute();
}

function changedColumns(row: MemoryRow, { columns, replace }: Mentions): Partial<NewMemoryRow> {
  const changed: Record<string, string> = {};
  for (const column of columns) {
    const text = row[column as keyof MemoryRow];
    if (typeof text !== 'string') continue;
    const next = replace(text);
    if (next !== text) changed[column] = column === 'tags' ? withoutRepeats(next) : next;
  }
  return changed;
}

/** Two tags may have become one. */
function withoutRepeats(tags: string): string {
  return JSON.stringify([...new Set(JSON.parse(tags) as string[])]);
}

async function changedVersions(
  db: MentionReader,
  memory_id: string,
  mentions: Mentions,
): Promise<{ version: number; snapshot: string }[]> {
  const versions = await db
    .selectFrom('memory_versions')
    .select(['version', 'snapshot'])
    .where('memory_id', '=', memory_id)
    .where(mentions.likely('snapshot'))
    .execute();
  return versions.flatMap(({ version, snapshot }) => {
    const next = mentions.replace(snapshot);
    return next === snapshot ? [] : [{ version, snapshot: next }];
  });
}

async function replaceIn(
  deps: RuleDeps,
  trx: MemoryTrx,
  row: MemoryRow,
  mentions: Mentions,
  pseudonym: string,
): Promise<MemoryRow | undefined> {
  const versions = await changedVersions(trx, row.memory_id, mentions);
  const columns = changedColumns(row, mentions);
  if (versions.length === 0 && Object.keys(columns).length === 0) return undefined;
  for (const { version, snapshot } of versions)
    await trx
      .updateTable('memory_versions')
      .set({ snapshot })
      .where('memory_id', '=', row.memory_id)
      .where('version', '=', version)
      .execute();
  // The version that is kept of this change is without the mention too.
  const clean: MemoryRow = { ...row, ...columns };
  const note = { change: 'erasure', changed_at: toIso(deps.store.clock.now()), changed_by: pseudonym };
  const identity_hash = await freeIdentity(trx, row, clean);
  const written = await updateRow(deps.store, trx, clean, { ...columns, identity_hash }, note);
  // What is in the recycle bin has no vectors; it gets them when it is recovered.
  if (row.deleted_at === null && ('content' in columns || 'context' in columns)) await renewVectors(deps, trx, written);
  return written;
}

/** Texts that differed in the mention alone stay two memories. */
async function freeIdentity(trx: MemoryTrx, row: MemoryRow, clean: MemoryRow): Promise<string> {
  const byProject = identityHash(row) === row.identity_hash;
  const input = byProject ? clean : { ...clean, project: null };
  const identity = identityHash(input);
  if (row.deleted_at !== null) return identity;
  const same = await findLivingByIdentity(trx, identity);
  if (!same || same.row_id === row.row_id) return identity;
  return identityHash({ ...input, content: `${input.content}\n${row.memory_id}` });
}
