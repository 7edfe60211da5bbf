// Making, listing, renewing and destroying vaults.
import { toIso } from '../../../kernel/clock.ts';
import { failure } from '../../../kernel/errors.ts';
import { newId } from '../../../kernel/ids.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { wrappingKey } from '../../../storage/keyring/named-keys.ts';
import { assertAllowed, mayAddVault } from '../../access/index.ts';
import { teamNotFound } from '../../teams/index.ts';
import { changeVault, usableVault } from '../access.ts';
import type { VaultDeps } from '../deps.ts';
import { grantsOf, recorded, type VaultRow } from '../repository.ts';
import type { VaultType } from '../schema.ts';
import { logForTeam } from './team-log.ts';

export interface NewVault {
  readonly name: string;
  readonly vault_type: VaultType;
  readonly team_id?: string | undefined;
  readonly project_id?: string | undefined;
  readonly description?: string | undefined;
}

/** Errors: invalid_input, forbidden, not_found for a team that is not the caller's, those of the key ring. */
export async function createVault(deps: VaultDeps, principal: Principal, input: NewVault): Promise<VaultRow> {
  const team_id = input.team_id ?? null;
  assertShape(input);
  assertAllowed(mayAddVault(principal, team_id), () => teamNotFound(team_id ?? ''));
  const { store, audit, keys } = deps;
  const master = await wrappingKey(deps.store, deps.keyring);
  return store.write(async (trx) => {
    const created_at = toIso(store.clock.now());
    const vault_id = newId('vault', store.clock.now());
    const row: VaultRow = {
      vault_id,
      name: input.name,
      description: input.description ?? '',
      vault_type: input.vault_type,
      user_id: principal.user_id,
      team_id,
      project_id: input.project_id ?? null,
      epoch: 1,
      created_at,
      destroyed_at: null,
      ...(await recorded(store, trx, 'vault', vault_id, undefined)),
    };
    await trx.insertInto('vaults').values(row).execute();
    await trx
      .insertInto('vault_keys')
      .values({ ...keys.make(master, vault_id, row.epoch), created_at })
      .execute();
    await audit.append(trx, principal, {
      action: 'create_vault',
      target_type: 'vault',
      target_id: vault_id,
      result: 'ok',
      details: { vault_type: input.vault_type, team_id },
    });
    await logForTeam(deps, trx, principal, row, 'vault.created');
    return row;
  });
}

function assertShape({ vault_type, team_id, project_id }: NewVault): void {
  const of_team = vault_type === 'team' || vault_type === 'project';
  const [message, hint] =
    vault_type === 'team' && team_id === undefined
      ? ['A team vault needs team_id.', 'list_teams names your teams; a vault of your own is personal.']
      : vault_type === 'project' && project_id === undefined
        ? ['A project vault needs project_id.', 'Name the project; team_id in addition opens it to a team.']
        : team_id !== undefined && !of_team
          ? [`A ${vault_type} vault has no team_id.`, 'Use vault_type team, or share_vault to let a team use it.']
          : project_id !== undefined && vault_type !== 'project'
            ? [`A ${vault_type} vault has no project_id.`, 'Use vault_type project.']
            : [];
  if (message !== undefined && hint !== undefined) throw failure('invalid_input', message, hint);
}

/** A new data key for what is stored from now on. Everything earlier stays readable by the earlier ones. */
export async function rotateVaultKey(deps: VaultDeps, principal: Principal, vault_id: string): Promise<VaultRow> {
  await usableVault(deps, principal, vault_id, 'admin');
  const { store, audit, keys } = deps;
  const master = await wrappingKey(deps.store, deps.keyring);
  return changeVault(deps, principal, vault_id, 'admin', async ({ trx, vault, now }) => {
    const epoch = vault.epoch + 1;
    await trx
      .insertInto('vault_keys')
      .values({ ...keys.make(master, vault_id, epoch), created_at: now })
      .execute();
    const row = { ...vault, epoch, ...(await recorded(store, trx, 'vault', vault_id, vault)) };
    await trx.updateTable('vaults').set(row).where('vault_id', '=', vault_id).execute();
    const entry = { action: 'rotate_vault_key', target_type: 'vault', target_id: vault_id, result: 'ok' } as const;
    await audit.append(trx, principal, { ...entry, details: { epoch } });
    await logForTeam(deps, trx, principal, vault, 'vault.key_rotated');
    return row;
  });
}

export interface Destroyed {
  readonly destroyed_at: string;
  readonly keys: number;
  readonly values: number;
}

/** Destroys data keys, sealed values, names of secrets and grants. The vault's row stays and says when. */
export async function destroyVault(
  deps: VaultDeps,
  principal: Principal,
  vault_id: string,
  reason: string | undefined,
): Promise<Destroyed> {
  const { store, audit } = deps;
  const destroyed = await changeVault(deps, principal, vault_id, 'admin', async ({ trx, vault, now }) => {
    const own = trx.selectFrom('vault_secrets').select('secret_id').where('vault_id', '=', vault_id);
    const values = await trx.deleteFrom('vault_secret_versions').where('secret_id', 'in', own).executeTakeFirst();
    await trx.deleteFrom('vault_secrets').where('vault_id', '=', vault_id).execute();
    for (const grant of await grantsOf(trx, [vault_id]))
      await recorded(store, trx, 'vault_grant', grant.grant_id, grant, 'delete');
    await trx.deleteFrom('vault_grants').where('vault_id', '=', vault_id).execute();
    const keys = await trx.deleteFrom('vault_keys').where('vault_id', '=', vault_id).executeTakeFirst();
    const versioned = await recorded(store, trx, 'vault', vault_id, vault, 'delete');
    await trx
      .updateTable('vaults')
      .set({ destroyed_at: now, description: '', ...versioned })
      .where('vault_id', '=', vault_id)
      .execute();
    const counts = { keys: Number(keys.numDeletedRows), values: Number(values.numDeletedRows) };
    const entry = { action: 'destroy_vault', target_type: 'vault', target_id: vault_id, result: 'ok' } as const;
    await audit.append(trx, principal, { ...entry, reason, details: counts });
    await logForTeam(deps, trx, principal, vault, 'vault.destroyed');
    return { destroyed_at: now, ...counts };
  });
  deps.keys.forget(vault_id);
  return destroyed;
}
