// Letting others use a vault, for a time or until it is revoked.
import { failure } from '../../../kernel/errors.ts';
import { newId } from '../../../kernel/ids.ts';
import { limits } from '../../../kernel/limits.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { type AccessLevel, assertAllowed, mayGrantTo } from '../../access/index.ts';
import { teamNotFound } from '../../teams/index.ts';
import { assertFuture, type Change, changeVault } from '../access.ts';
import type { VaultDeps } from '../deps.ts';
import { type GrantRow, grantsOf, recorded } from '../repository.ts';

export interface Share {
  readonly vault_id: string;
  readonly share_with: string;
  readonly share_type: 'user' | 'team';
  readonly access_level: AccessLevel;
  /** ISO time; absent: until revoked. */
  readonly expires_at?: string | undefined;
}

/** Gives access or changes what was given. Errors: not_found (vault, team), forbidden, invalid_input, limit_exceeded. */
export function shareVault(deps: VaultDeps, principal: Principal, share: Share): Promise<GrantRow> {
  return changeVault(deps, principal, share.vault_id, 'admin', async (change) => {
    const { share_with, share_type, access_level } = share;
    assertAllowed(mayGrantTo(principal, { grantee_type: share_type, grantee_id: share_with }), () =>
      teamNotFound(share_with),
    );
    assertFuture('expires_at', share.expires_at, change.now);
    const grants = await grantsOf(change.trx, [share.vault_id]);
    const before = grants.find(isFor(share));
    if (!before && grants.length >= limits.vault_grants_max_count)
      throw failure(
        'limit_exceeded',
        `A vault is shared with at most ${limits.vault_grants_max_count} users and teams.`,
        'Share it with a team, or revoke grants that are not needed any more.',
      );
    const row = await putGrant(deps, principal, change, share, before);
    await audited(deps, principal, change, share, { access_level, expires_at: row.expires_at });
    return row;
  });
}

async function putGrant(
  { store }: VaultDeps,
  principal: Principal,
  { trx, now }: Change,
  share: Share,
  before: GrantRow | undefined,
): Promise<GrantRow> {
  const grant_id = before?.grant_id ?? newId('grant', store.clock.now());
  const row: GrantRow = {
    grant_id,
    vault_id: share.vault_id,
    grantee_type: share.share_type,
    grantee_id: share.share_with,
    access_level: share.access_level,
    granted_at: now,
    granted_by: principal.user_id,
    expires_at: share.expires_at ?? null,
    ...(await recorded(store, trx, 'vault_grant', grant_id, before)),
  };
  if (before) await trx.updateTable('vault_grants').set(row).where('grant_id', '=', grant_id).execute();
  else await trx.insertInto('vault_grants').values(row).execute();
  return row;
}

/** Takes access back. Errors: not_found (vault, grant), forbidden. */
export function revokeShare(
  deps: VaultDeps,
  principal: Principal,
  share: Pick<Share, 'vault_id' | 'share_with' | 'share_type'>,
): Promise<void> {
  return changeVault(deps, principal, share.vault_id, 'admin', async (change) => {
    const grant = (await grantsOf(change.trx, [share.vault_id])).find(isFor(share));
    if (!grant)
      throw failure(
        'not_found',
        `Vault ${share.vault_id} is not shared with ${share.share_type} ${share.share_with}.`,
        'list_vaults names whom your vaults are shared with.',
      );
    await recorded(deps.store, change.trx, 'vault_grant', grant.grant_id, grant, 'delete');
    await change.trx.deleteFrom('vault_grants').where('grant_id', '=', grant.grant_id).execute();
    await audited(deps, principal, change, share, { revoked: true });
  });
}

function isFor({ share_type, share_with }: Pick<Share, 'share_with' | 'share_type'>) {
  return (grant: GrantRow) => grant.grantee_type === share_type && grant.grantee_id === share_with;
}

function audited(
  { audit }: VaultDeps,
  principal: Principal,
  { trx }: Change,
  { vault_id, share_type, share_with }: Pick<Share, 'vault_id' | 'share_with' | 'share_type'>,
  details: Readonly<Record<string, string | boolean | null>>,
): Promise<number> {
  return audit.append(trx, principal, {
    action: 'share_vault',
    target_type: 'vault',
    target_id: vault_id,
    result: 'ok',
    // The name of a user stands where it can be erased.
    affected_user_id: share_type === 'user' ? share_with : undefined,
    details: { share_type, ...(share_type === 'team' ? { team_id: share_with } : {}), ...details },
  });
}
