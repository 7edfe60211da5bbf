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

/**
 * Oldest first. Candidates that may not be seen leave no trace: neither a page that lacks some, nor a cursor that names
 * one.
 */
export async function listVaults(
  { store }: Pick<VaultDeps, 'store'>,
  principal: Principal,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<VaultPage> {
  const now = toIso(store.clock.now());
  const found: UsableVault[] = [];
  let after = page.cursor === undefined ? undefined : String(decodeCursor(page.cursor, 2)[0]);
  while (found.length <= page.limit) {
    const rows = await candidates(store, principal, after, page.limit + 1);
    const grants = await grantsOf(
      store.db,
      rows.map(({ vault_id }) => vault_id),
    );
    found.push(...rows.flatMap((vault) => usable(principal, vault, grants, now)));
    after = rows.at(-1)?.vault_id;
    if (rows.length <= page.limit) break;
  }
  const vaults = found.slice(0, page.limit);
  const last = found.length > page.limit ? vaults.at(-1) : undefined;
  return { vaults, next_cursor: last ? encodeCursor([last.vault.vault_id, 0]) : null };
}

function candidates(store: VaultDeps['store'], principal: Principal, after: string | undefined, count: number) {
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
  if (after !== undefined) query = query.where('vault_id', '>', after);
  return query.orderBy('vault_id').limit(count).execute();
}

function usable(principal: Principal, vault: VaultRow, all: readonly GrantRow[], now: string): UsableVault[] {
  const facts = factsFrom(vault, all);
  const level = vaultLevel(principal, facts, now);
  if (level === undefined || !mayUseVault(principal, facts, 'read', now).allowed) return [];
  const holds = ({ vault_id, expires_at }: GrantRow) =>
    vault_id === vault.vault_id && (expires_at === null || expires_at > now);
  return [{ vault, level, grants: level === 'admin' ? all.filter(holds) : [] }];
}
