// One act in a team as it is kept twice: in the team's activity for its members, in the audit log for good.
import type { AuditEntry } from '../audit/index.ts';
import { logTeamActivity, type TeamActivity } from './activity.ts';
import type { TeamWrite } from './deps.ts';

type Act = Pick<TeamActivity, 'action' | 'target_user_id' | 'details'>;

export async function recordAct({ deps, trx, principal, team_id, now_ms }: TeamWrite, act: Act): Promise<void> {
  await logTeamActivity(trx, now_ms, { team_id, actor: principal, ...act });
  const entry: AuditEntry = {
    // `team.created` in both; `member.added` is `team.member.added` among the acts of other domains.
    action: act.action.startsWith('team.') ? act.action : `team.${act.action}`,
    target_type: 'team',
    target_id: team_id,
    result: 'ok',
    affected_user_id: act.target_user_id,
    details: act.details,
  };
  await deps.audit.append(trx, principal, entry);
}
