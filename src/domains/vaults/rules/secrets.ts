// Storing a value, reading it, and what is there: every value is sealed before it is written and leaves through its audit row.
import { toIso } from '../../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import { failure } from '../../../kernel/errors.ts';
import { newId } from '../../../kernel/ids.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { assertFuture, type Change, changeVault, openDataKey, usableVault } from '../access.ts';
import type { VaultDeps } from '../deps.ts';
import { secretExpired, secretNotFound } from '../errors.ts';
import { destroyVersions, findSecret, findVersion, holdSecret, recorded, type SecretRow } from '../repository.ts';
import type { DataKey, Metadata } from '../sealed-secret.ts';
import { logForTeam } from './team-log.ts';

export interface NewValue {
  readonly vault_id: string;
  readonly key: string;
  readonly value: string;
  readonly metadata?: Metadata | undefined;
  /** ISO time; absent: this value does not expire. */
  readonly expires_at?: string | undefined;
  /** Absent: as before. 0: no rotation. */
  readonly rotation_interval_days?: number | undefined;
}

/** The vault's key may be renewed between reading it and using it; that seldom happens twice. */
const TRIES_MAX_COUNT = 5;

/** Adds a version. Errors: not_found, forbidden, invalid_input, those of the key ring. */
export async function storeSecret(deps: VaultDeps, principal: Principal, input: NewValue): Promise<SecretRow> {
  for (let tries = 0; tries < TRIES_MAX_COUNT; tries++) {
    const { epoch } = await usableVault(deps, principal, input.vault_id, 'write');
    assertFuture('expires_at', input.expires_at, toIso(deps.store.clock.now()));
    const data_key = await openDataKey(deps, input.vault_id, epoch);
    const stored = await changeVault(deps, principal, input.vault_id, 'write', async (change) =>
      change.vault.epoch === epoch ? addVersion(deps, principal, change, input, data_key) : undefined,
    );
    if (stored) return stored;
  }
  throw failure('conflict', 'The key of this vault is being renewed all the time.', 'Try again in a moment.');
}

async function addVersion(
  deps: VaultDeps,
  principal: Principal,
  change: Change,
  input: NewValue,
  data_key: DataKey,
): Promise<SecretRow> {
  const { trx, vault, now } = change;
  const { vault_id, key } = input;
  const before = await holdSecret(deps.store, trx, vault_id, key);
  // What was deleted is not brought back by a new value of the same name.
  if (before?.deleted_at) await destroyVersions(trx, before.secret_id);
  const row = await putSecret(deps, principal, change, input, before);
  await trx
    .insertInto('vault_secret_versions')
    .values({
      secret_id: row.secret_id,
      version: row.version,
      epoch: vault.epoch,
      ...data_key.seal({ vault_id, key, version: row.version }, input.value, input.metadata ?? {}),
      created_at: now,
      created_by: principal.user_id,
      expires_at: row.expires_at,
    })
    .execute();
  await deps.audit.append(trx, principal, {
    action: 'store_in_vault',
    target_type: 'vault',
    target_id: vault_id,
    result: 'ok',
    details: { key, version: row.version },
  });
  await logForTeam(deps, trx, principal, vault, 'vault.secret_stored');
  return row;
}

async function putSecret(
  { store }: VaultDeps,
  principal: Principal,
  { trx, now }: Change,
  input: NewValue,
  before: SecretRow | undefined,
): Promise<SecretRow> {
  const days = input.rotation_interval_days;
  const kept = before?.deleted_at ? null : (before?.rotation_days ?? null);
  const secret_id = before?.secret_id ?? newId('secret', store.clock.now());
  const row: SecretRow = {
    secret_id,
    vault_id: input.vault_id,
    secret_key: input.key,
    version: (before?.version ?? 0) + 1,
    rotation_days: days === undefined ? kept : days || null,
    created_at: before && !before.deleted_at ? before.created_at : now,
    created_by: before && !before.deleted_at ? before.created_by : principal.user_id,
    updated_at: now,
    updated_by: principal.user_id,
    expires_at: input.expires_at ?? null,
    deleted_at: null,
    deleted_by: null,
    purge_at: null,
    ...(await recorded(store, trx, 'vault_secret', secret_id, before)),
  };
  if (before) await trx.updateTable('vault_secrets').set(row).where('secret_id', '=', secret_id).execute();
  else await trx.insertInto('vault_secrets').values(row).execute();
  return row;
}

export interface Retrieved {
  readonly version: number;
  readonly value: string;
  readonly metadata: Metadata;
  readonly created_at: string;
  readonly expires_at: string | null;
}

export interface Wanted {
  readonly vault_id: string;
  readonly key: string;
  /** Absent: the newest. */
  readonly version?: number | undefined;
  readonly audit_reason: string;
}

/**
 * The value of a secret. Its audit row is committed first: where that fails nothing is given out. Errors: not_found,
 * forbidden, conflict where it has expired, storage_corrupt, those of the key ring.
 */
export async function retrieveSecret(deps: VaultDeps, principal: Principal, wanted: Wanted): Promise<Retrieved> {
  const { vault_id, key } = wanted;
  const { db, clock } = deps.store;
  await usableVault(deps, principal, vault_id, 'read');
  const secret = await findSecret(db, vault_id, key);
  if (!secret || secret.deleted_at) throw secretNotFound(vault_id, key);
  const version = wanted.version ?? secret.version;
  const row = await findVersion(db, secret.secret_id, version);
  if (!row) throw secretNotFound(vault_id, key, version);
  const now = toIso(clock.now());
  for (const expires_at of [row.expires_at, secret.expires_at])
    if (expires_at !== null && expires_at <= now) throw secretExpired(vault_id, key, version, expires_at);
  const data_key = await openDataKey(deps, vault_id, row.epoch);
  const opened = data_key.open({ vault_id, key, version }, row);
  await deps.audit.record(principal, {
    action: 'retrieve_from_vault',
    target_type: 'vault',
    target_id: vault_id,
    result: 'ok',
    reason: wanted.audit_reason,
    details: { key, version },
  });
  return { version, ...opened, created_at: row.created_at, expires_at: row.expires_at };
}

export interface SecretPage {
  readonly secrets: readonly SecretRow[];
  readonly next_cursor: string | null;
}

/** By key. Never opens anything: it works without the master key. */
export async function listSecrets(
  deps: VaultDeps,
  principal: Principal,
  page: {
    readonly vault_id: string;
    readonly include_deleted: boolean;
    readonly limit: number;
    readonly cursor?: string | undefined;
  },
): Promise<SecretPage> {
  const { vault_id, limit, cursor } = page;
  const { db, clock } = deps.store;
  await usableVault(deps, principal, vault_id, 'read');
  const now = toIso(clock.now());
  let query = db.selectFrom('vault_secrets').selectAll().where('vault_id', '=', vault_id);
  query = page.include_deleted
    ? query.where((eb) => eb.or([eb('deleted_at', 'is', null), eb('purge_at', '>', now)]))
    : query.where('deleted_at', 'is', null);
  if (cursor !== undefined) query = query.where('secret_key', '>', String(decodeCursor(cursor, 2)[0]));
  const rows = await query
    .orderBy('secret_key')
    .limit(limit + 1)
    .execute();
  const secrets = rows.slice(0, limit);
  const last = rows.length > limit ? secrets.at(-1) : undefined;
  await deps.audit.record(principal, {
    action: 'list_vault_secrets',
    target_type: 'vault',
    target_id: vault_id,
    result: 'ok',
    details: { secrets: secrets.length },
  });
  return { secrets, next_cursor: last ? encodeCursor([last.secret_key, 0]) : null };
}
