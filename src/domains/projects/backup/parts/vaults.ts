// Vaults of the project that the caller administers, with their data keys as they are wrapped and their secrets as they are
// sealed: nothing here is ever opened but the wrapping, to see that it can be. Grants stay behind: who may read secrets on
// another hub is decided there.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { VersionVector } from '../../../../storage/changes.ts';
import type { JsonRecord } from '../canonical.ts';
import type { AnyReader, AnyTrx, Found, Key, ProjectScope, RestoreContext } from './part.ts';
import { refuseVault, TAKEN, vouchedBy } from './rights.ts';
import { anyStore, tablePart } from './table-part.ts';
import { keysWithin } from './table-rows.ts';

const DAY_MS = 86_400_000;
/** Where deleted secrets are destroyed at once, one that a restore takes away still waits this long. */
const RECOVERY_MIN_DAYS = 30;

const inVaults = (column: string, { vault_ids }: ProjectScope): RawBuilder<SqlBool> =>
  vault_ids.length === 0
    ? sql<SqlBool>`1 = 0`
    : sql<SqlBool>`${sql.ref(column)} in (${sql.join(vault_ids.map((id) => sql`${id}`))})`;

const inVault = (record: JsonRecord) => [{ part: 'vaults', key: [String(record.vault_id)] }];

export const vaultsPart = tablePart({
  name: 'vaults',
  table: 'vaults',
  key: ['vault_id'],
  entity: 'vault',
  ignored: ['epoch'],
  columns: {
    vault_id: 'line',
    name: 'line',
    description: 'text',
    vault_type: 'line',
    user_id: 'line',
    team_id: 'line?',
    project_id: 'line',
    epoch: 'version',
    created_at: 'moment',
  },
  within: (project) => inVaults('vaults.vault_id', project),
  needs: (record) => [{ part: 'project', key: [String(record.project_id)] }],
  placed: (record, { placement, principal }) =>
    placement ? { ...record, user_id: principal.user_id, team_id: placement.team_id } : record,
  fresh: () => ({ destroyed_at: null }),
  renewed: (row, record) => ({ created_at: row.created_at, epoch: Math.max(Number(row.epoch), Number(record.epoch)) }),
  refuse: async (record, row, ctx) =>
    refuseVault(record, row, row && (await ctx.deps.vaults.facts(String(row.vault_id))), ctx),
  judge: async (_db, found) =>
    found.map((one) => (one.row && one.row.destroyed_at !== null ? { ...one, finding: DESTROYED } : one)),
});

const DESTROYED = { kind: 'kept', reason: 'it was destroyed here, and no backup brings that back' } as const;

export const vaultKeysPart = tablePart({
  name: 'vault_keys',
  table: 'vault_keys',
  key: ['vault_id', 'epoch'],
  immutable: true,
  // The same data key may have been wrapped again by another master key.
  ignored: ['master_key_id', 'wrapped'],
  columns: { vault_id: 'line', epoch: 'version', master_key_id: 'line', wrapped: 'bytes', created_at: 'moment' },
  within: (project) => inVaults('vault_keys.vault_id', project),
  needs: inVault,
  async judge(_db, found, { deps }) {
    for (const { record, finding } of found) {
      if (finding.kind !== 'absent') continue;
      const { vault_id, epoch, master_key_id, wrapped } = record;
      await deps.vaults.openKey({
        vault_id: String(vault_id),
        epoch: Number(epoch),
        master_key_id: String(master_key_id),
        wrapped: Buffer.from(String(wrapped), 'base64'),
      });
    }
    return found;
  },
});

const secretsWithin = (project: ProjectScope) =>
  sql<SqlBool>`(${inVaults('vault_secrets.vault_id', project)} and vault_secrets.deleted_at is null)`;

export const vaultSecretsPart = tablePart({
  name: 'vault_secrets',
  table: 'vault_secrets',
  key: ['secret_id'],
  entity: 'vault_secret',
  time: 'updated_at',
  ignored: ['updated_at', 'updated_by'],
  columns: {
    secret_id: 'line',
    vault_id: 'line',
    secret_key: 'line',
    version: 'version',
    rotation_days: 'integer?',
    created_at: 'moment',
    created_by: 'line',
    updated_at: 'moment',
    updated_by: 'line',
    expires_at: 'moment?',
  },
  within: secretsWithin,
  needs: inVault,
  // Of a vault that the caller administers.
  refuse: (record, row) => (row && row.vault_id !== record.vault_id ? TAKEN : undefined),
  settled: (record, vault, ctx) => vouchedBy(['created_by', 'updated_by'])(record, vault, ctx),
  judge: judgeSecrets,
  fresh: () => ({ deleted_at: null, deleted_by: null, purge_at: null }),
  renewed: (row, _record, { project, principal }) => ({
    ...{ created_at: row.created_at, created_by: row.created_by },
    ...{ deleted_at: null, deleted_by: null, purge_at: null },
    updated_at: project.now,
    updated_by: principal.user_id,
  }),
  async written(trx, found, _ctx, how) {
    // Its versions go on counting from the one that is current again.
    if (how === 'replace')
      for (const { record } of found)
        await trx
          .deleteFrom('vault_secret_versions')
          .where('secret_id', '=', record.secret_id)
          .where('version', '>', record.version)
          .execute();
  },
  removable: (db, project) =>
    keysWithin({ table: 'vault_secrets', key: ['secret_id'], within: secretsWithin }, db, project),
  remove: removeSecrets,
});

/** A name is given once in a vault, and what was deleted here is newer than what the backup says. */
async function judgeSecrets(db: AnyReader, found: readonly Found[], ctx: RestoreContext): Promise<readonly Found[]> {
  const out: Found[] = [];
  for (const one of found) {
    const { record, row, finding } = one;
    if (finding.kind === 'same' && row?.deleted_at !== null) out.push({ ...one, finding: { kind: 'older' } });
    else if (finding.kind === 'absent') out.push((await nameTaken(db, record)) ? taken(one, ctx) : one);
    else out.push(one);
  }
  return out;
}

const taken = (one: Found, { mode }: RestoreContext): Found => ({
  ...one,
  finding: {
    kind: mode === 'overwrite' ? 'conflict' : 'kept',
    reason: 'another secret of this name is in the vault here',
  },
});

async function nameTaken(db: AnyReader, { vault_id, secret_key }: JsonRecord): Promise<boolean> {
  const row = await db
    .selectFrom('vault_secrets')
    .select('secret_id')
    .where('vault_id', '=', vault_id)
    .where('secret_key', '=', secret_key)
    .executeTakeFirst();
  return row !== undefined;
}

async function removeSecrets(trx: AnyTrx, keys: readonly Key[], ctx: RestoreContext): Promise<void> {
  const { deps, principal, project } = ctx;
  const days = deps.recovery_days || RECOVERY_MIN_DAYS;
  const purge_at = new Date(deps.store.clock.now() + days * DAY_MS).toISOString();
  for (const [secret_id] of keys) {
    const query = trx.selectFrom('vault_secrets').selectAll().where('secret_id', '=', secret_id);
    const row = await query.executeTakeFirst();
    if (!row) continue;
    const before = JSON.parse(String(row.version_vector)) as VersionVector;
    const change = { entity: 'vault_secret', entity_id: String(secret_id), kind: 'delete', before } as const;
    const recorded = await anyStore(ctx).recordChange(trx as never, change);
    await trx
      .updateTable('vault_secrets')
      .set({ deleted_at: project.now, deleted_by: principal.user_id, purge_at, ...recorded })
      .where('secret_id', '=', secret_id)
      .execute();
  }
}

export const vaultSecretVersionsPart = tablePart({
  name: 'vault_secret_versions',
  table: 'vault_secret_versions',
  key: ['secret_id', 'version'],
  columns: {
    secret_id: 'line',
    version: 'version',
    epoch: 'version',
    sealed: 'bytes',
    sealed_metadata: 'bytes',
    created_at: 'moment',
    created_by: 'line',
    expires_at: 'moment?',
  },
  within: (project) => sql`vault_secret_versions.secret_id in (
    select vault_secrets.secret_id from vault_secrets where ${secretsWithin(project)}
    ${project.include_history ? sql`` : sql`and vault_secrets.version = vault_secret_versions.version`})`,
  needs: (record) => [{ part: 'vault_secrets', key: [String(record.secret_id)] }],
  settled: vouchedBy(['created_by']),
  judge: judgeVersions,
});

/** A secret that counts its own versions here gets none that it has still to come to. */
async function judgeVersions(db: AnyReader, found: readonly Found[]): Promise<readonly Found[]> {
  const ids = [...new Set(found.map(({ record }) => String(record.secret_id)))];
  const query = db.selectFrom('vault_secrets').select(['secret_id', 'version']).where('secret_id', 'in', ids);
  const versions = new Map((await query.execute()).map((row) => [String(row.secret_id), Number(row.version)]));
  return found.map((one) => {
    const version = versions.get(String(one.record.secret_id));
    if (one.finding.kind !== 'absent' || version === undefined || Number(one.record.version) <= version) return one;
    return { ...one, finding: { kind: 'kept', reason: 'the secret has versions of its own here' } };
  });
}
