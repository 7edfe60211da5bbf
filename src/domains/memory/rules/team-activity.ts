// What happens to a team's memories is the team's to know: each store, change and deletion is noted for it, without text.
import type { MemoryTrx } from '../repository.ts';
import type { Caller, RuleDeps, TeamMemoryAction } from './deps.ts';

/** Notes it for the team whose memory this is; nothing for memories of no team. */
export async function noteInTeam(
  deps: Pick<RuleDeps, 'logInTeam'>,
  trx: MemoryTrx,
  row: { readonly memory_id: string; readonly scope: string; readonly team_id: string | null },
  action: TeamMemoryAction,
  caller: Caller,
): Promise<void> {
  const { memory_id, scope, team_id } = row;
  if (scope === 'team' && team_id !== null)
    await deps.logInTeam?.(trx, caller.principal, { team_id, action, memory_id });
}
