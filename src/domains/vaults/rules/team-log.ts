// What happens to a team's vault stands in the team's own log too.
import type { Principal } from '../../../kernel/operation.ts';
import type { VaultDeps, VaultTrx } from '../deps.ts';
import type { VaultRow } from '../repository.ts';

export async function logForTeam(
  deps: VaultDeps,
  trx: VaultTrx,
  principal: Principal,
  { team_id, vault_id }: Pick<VaultRow, 'team_id' | 'vault_id'>,
  action: string,
): Promise<void> {
  if (team_id !== null) await deps.logTeamActivity?.(trx, principal, { team_id, action, vault_id });
}
