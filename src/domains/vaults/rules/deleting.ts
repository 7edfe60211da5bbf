// Deleting secrets: recoverable for a stated time, then destroyed by the clean-up.
import { toIso } from '../../../kernel/clock.ts';
import { failure } from '../../../kernel/errors.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { changeVault } from '../access.ts';
import type { VaultDeps } from '../deps.ts';
import { secretNotFound } from '../errors.ts';
import { destroyVersions, holdSecret, recorded, type SecretRow } from '../repository.ts';
import { logForTeam } from './team-log.ts';

const DAY_MS = 86_400_000;
/** Secrets destroyed in one commit: keeps the write lock short. */
const SWEEP_BATCH_COUNT = 100;

export interface NamedSecret {
  readonly vault_id: string;
  readonly key: string;
}

/** Returns until when it can be brought back; null where it is destroyed already. */
export function deleteSecret(
  deps: VaultDeps,
  principal: Principal,
  { vault_id, key }: NamedSecret,
  reason: string | undefined,
): Promise<string | null> {
  const { store, audit, recovery_days } = deps;
  return changeVault(deps, principal, vault_id, 'write', async ({ trx, vault, now }) => {
    const secret = await holdSecret(store, trx, vault_id, key);
    if (!secret || secret.deleted_at) throw secretNotFound(vault_id, key);
    const purge_at = recovery_days > 0 ? toIso(store.clock.now() + recovery_days * DAY_MS) : null;
    if (purge_at === null) await destroyVersions(trx, secret.secret_id);
    const versioned = await recorded(store, trx, 'vault_secret', secret.secret_id, secret, 'delete');
    await trx
      .updateTable('vault_secrets')
      .set({ deleted_at: now, deleted_by: principal.user_id, purge_at, ...versioned })
      .where('secret_id', '=', secret.secret_id)
      .execute();
    const entry = { action: 'delete_vault_secret', target_type: 'vault', target_id: vault_id, result: 'ok' } as const;
    await audit.append(trx, principal, { ...entry, reason, details: { key } });
    await logForTeam(deps, trx, principal, vault, 'vault.secret_deleted');
    return purge_at;
  });
}

/** Brings a deleted secret back with all its versions. Errors: not_found, conflict where it is not deleted. */
export function restoreSecret(
  deps: VaultDeps,
  principal: Principal,
  { vault_id, key }: NamedSecret,
): Promise<SecretRow> {
  const { store, audit } = deps;
  return changeVault(deps, principal, vault_id, 'write', async ({ trx, vault, now }) => {
    const secret = await holdSecret(store, trx, vault_id, key);
    if (secret && !secret.deleted_at)
      throw failure('conflict', `Secret ${key} is not deleted.`, 'There is nothing to restore.');
    if (!secret || secret.purge_at === null || secret.purge_at <= now) throw secretNotFound(vault_id, key);
    const row: SecretRow = {
      ...secret,
      deleted_at: null,
      deleted_by: null,
      purge_at: null,
      ...(await recorded(store, trx, 'vault_secret', secret.secret_id, secret)),
    };
    await trx.updateTable('vault_secrets').set(row).where('secret_id', '=', secret.secret_id).execute();
    const entry = { action: 'restore_vault_secret', target_type: 'vault', target_id: vault_id, result: 'ok' } as const;
    await audit.append(trx, principal, { ...entry, details: { key } });
    await logForTeam(deps, trx, principal, vault, 'vault.secret_restored');
    return row;
  });
}

/** Destroys what was deleted long enough ago; returns how many secrets. The hub itself does this. */
export async function purgeDeleted(deps: VaultDeps, principal: Principal): Promise<number> {
  let count = 0;
  for (;;) {
    const purged = await deps.store.write((trx) => purgeBatch(deps, trx, principal));
    count += purged;
    if (purged < SWEEP_BATCH_COUNT) return count;
  }
}

async function purgeBatch(
  { store, audit }: VaultDeps,
  trx: Parameters<Parameters<VaultDeps['store']['write']>[0]>[0],
  principal: Principal,
): Promise<number> {
  const due = trx
    .selectFrom('vault_secrets')
    .selectAll()
    .where('purge_at', '<=', toIso(store.clock.now()))
    .orderBy('purge_at')
    .limit(SWEEP_BATCH_COUNT);
  const secrets = await store.dialect.forChange(due).execute();
  for (const secret of secrets) {
    await destroyVersions(trx, secret.secret_id);
    const versioned = await recorded(store, trx, 'vault_secret', secret.secret_id, secret, 'delete');
    await trx
      .updateTable('vault_secrets')
      .set({ purge_at: null, ...versioned })
      .where('secret_id', '=', secret.secret_id)
      .execute();
    await audit.append(trx, principal, {
      action: 'purge_vault_secret',
      target_type: 'vault',
      target_id: secret.vault_id,
      result: 'ok',
      details: { key: secret.secret_key },
    });
  }
  return secrets.length;
}
