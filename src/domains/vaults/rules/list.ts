// The vaults a principal may use. The condition finds candidates by their indexes; what is shown, the policy decides.
import { toIso } from '../../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { type AccessLevel, mayUseVault, vaultLevel } from '../../access/index.ts';
import type { VaultDeps } from '../deps.ts';
import { factsFrom, type GrantRow, grantsOf, type VaultRow } from '../repository.ts';

export interface UsableVault {
  readonly vault: VaultRow;
  readonly level: AccessLevel;
  /** Who else may use it, as far as grants say that hold now; only for those who may change them. */
  readonly grants: readonly GrantRow[];
}

export interface VaultPage {
  readonly vaults: readonly UsableVault[];
  readonly next_cursor: string | null;
}

/** Oldest first. A page may hold fewer than `limit` although there are more. */
export async function listVaults(
  { store }: Pick<VaultDeps, 'store'>,
  principal: Principal,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<VaultPage> {
  const now = toIso(store.clock.now());
  const teams = (principal.teams ?? []).map(({ team_id }) => team_id);
  const granted = store.db
    .selectFrom('vault_grants')
    .select('vault_grants.vault_id')
    .where(({ eb, or, and }) =>
      or([
        and([eb('grantee_type', '=', 'user'), eb('grantee_id', '=', principal.user_id)]),
        ...(teams.length > 0 ? [and([eb('grantee_type', '=', 'team'), eb('grantee_id', 'in', teams)])] : []),
      ]),
    );
  let query = store.db
    .selectFrom('vaults')
    .selectAll()
    .where('destroyed_at', 'is', null)
    .where(({ eb, or }) =>
      or([
        eb('user_id', '=', principal.user_id),
        eb('vault_id', 'in', granted),
        ...(teams.length > 0 ? [eb('team_id', 'in', teams)] : []),
      ]),
    );
  if (page.cursor !== undefined) query = query.where('vault_id', '>', String(decodeCursor(page.cursor, 2)[0]));
  const rows = await query
    .orderBy('vault_id')
    .limit(page.limit + 1)
    .execute();
  const shown = rows.slice(0, page.limit);
  const last = rows.length > page.limit ? shown.at(-1) : undefined;
  const grants = await grantsOf(
    store.db,
    shown.map(({ vault_id }) => vault_id),
  );
  const vaults = shown.flatMap((vault) => usable(principal, vault, grants, now));
  return { vaults, next_cursor: last ? encodeCursor([last.vault_id, 0]) : null };
}

function usable(principal: Principal, vault: VaultRow, all: readonly GrantRow[], now: string): UsableVault[] {
  const facts = factsFrom(vault, all);
  const level = vaultLevel(principal, facts, now);
  if (level === undefined || !mayUseVault(principal, facts, 'read', now).allowed) return [];
  const holds = ({ vault_id, expires_at }: GrantRow) =>
    vault_id === vault.vault_id && (expires_at === null || expires_at > now);
  return [{ vault, level, grants: level === 'admin' ? all.filter(holds) : [] }];
}
