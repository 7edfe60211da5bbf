// SQL of vaults: rows in, rows out. Who may is asked elsewhere.
import type { Selectable } from 'kysely';
import type { VersionVector } from '../../storage/changes.ts';
import type { VersionedColumns } from '../../storage/tables.ts';
import type { VaultFacts, VaultGrantFacts } from '../access/index.ts';
import type { VaultReader, VaultStore, VaultTrx } from './deps.ts';
import type { VaultGrantTable, VaultSecretTable, VaultTable } from './tables.ts';

export type VaultRow = Selectable<VaultTable>;
export type SecretRow = Selectable<VaultSecretTable>;
export type GrantRow = Selectable<VaultGrantTable>;

export function findVault(db: VaultReader, vault_id: string): Promise<VaultRow | undefined> {
  return db.selectFrom('vaults').selectAll().where('vault_id', '=', vault_id).executeTakeFirst();
}

/** The vault's row, held until the commit: changes of one vault come one after the other, on whatever hub. */
export function holdVault(store: VaultStore, trx: VaultTrx, vault_id: string): Promise<VaultRow | undefined> {
  const query = trx.selectFrom('vaults').selectAll().where('vault_id', '=', vault_id);
  return store.dialect.forChange(query).executeTakeFirst();
}

/** Every grant of these vaults, expired ones too. */
export function grantsOf(db: VaultReader, vault_ids: readonly string[]): Promise<GrantRow[]> {
  if (vault_ids.length === 0) return Promise.resolve([]);
  const query = db
    .selectFrom('vault_grants')
    .selectAll()
    .where('vault_id', 'in', [...vault_ids]);
  return query.orderBy('grant_id').execute();
}

export function factsFrom(vault: VaultRow, grants: readonly GrantRow[]): VaultFacts {
  const { user_id, team_id, destroyed_at, vault_id } = vault;
  const own = grants.filter((grant) => grant.vault_id === vault_id);
  return { user_id, team_id, destroyed_at, grants: own.map(grantFacts) };
}

export function grantFacts(grant: GrantRow): VaultGrantFacts {
  return {
    grantee_type: grant.grantee_type as VaultGrantFacts['grantee_type'],
    grantee_id: grant.grantee_id,
    access_level: grant.access_level as VaultGrantFacts['access_level'],
    expires_at: grant.expires_at,
  };
}

export function findSecret(db: VaultReader, vault_id: string, secret_key: string): Promise<SecretRow | undefined> {
  return secretQuery(db, vault_id, secret_key).executeTakeFirst();
}

/** The same, held until the commit: the clean-up holds secrets and not their vaults. */
export function holdSecret(
  store: VaultStore,
  trx: VaultTrx,
  vault_id: string,
  secret_key: string,
): Promise<SecretRow | undefined> {
  return store.dialect.forChange(secretQuery(trx, vault_id, secret_key)).executeTakeFirst();
}

function secretQuery(db: VaultReader, vault_id: string, secret_key: string) {
  return db
    .selectFrom('vault_secrets')
    .selectAll()
    .where('vault_id', '=', vault_id)
    .where('secret_key', '=', secret_key);
}

export function findVersion(db: VaultReader, secret_id: string, version: number) {
  return db
    .selectFrom('vault_secret_versions')
    .selectAll()
    .where('secret_id', '=', secret_id)
    .where('version', '=', version)
    .executeTakeFirst();
}

export function findDataKey(db: VaultReader, vault_id: string, epoch: number) {
  return db
    .selectFrom('vault_keys')
    .select(['vault_id', 'epoch', 'master_key_id', 'wrapped'])
    .where('vault_id', '=', vault_id)
    .where('epoch', '=', epoch)
    .executeTakeFirst();
}

export type VaultEntity = 'vault' | 'vault_secret' | 'vault_grant';

/** Columns a changed row has to carry; `row` is what it was before, absent for a new one. */
export function recorded(
  store: VaultStore,
  trx: VaultTrx,
  entity: VaultEntity,
  entity_id: string,
  row: Pick<VersionedColumns, 'version_vector'> | undefined,
  kind: 'put' | 'delete' = 'put',
): Promise<VersionedColumns> {
  const before = row ? (JSON.parse(row.version_vector) as VersionVector) : {};
  return store.recordChange(trx as never, { entity, entity_id, kind, before });
}

/** Destroys every version of a secret: its row stays, so that its versions go on counting. */
export async function destroyVersions(trx: VaultTrx, secret_id: string): Promise<void> {
  await trx.deleteFrom('vault_secret_versions').where('secret_id', '=', secret_id).execute();
}
