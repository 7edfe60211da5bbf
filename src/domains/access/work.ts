// Who may see, change and manage work: tasks and projects. Pure decisions; the SQL of the same is in visible-work.ts.
import type { Principal } from '../../kernel/operation.ts';
import { type Decision, mayInTeam, membershipIn } from './policy.ts';

/** What a rule about a task or a project looks at. */
export interface WorkFacts {
  readonly scope: string;
  readonly user_id: string;
  readonly team_id: string | null;
}

const ALLOWED: Decision = { allowed: true };
const INVISIBLE: Decision = { allowed: false, visible: false, reason: '' };

/** Solo: all agents of its user. Team: members who may read work there. Shared: everybody. */
export function maySeeWork(principal: Principal, work: WorkFacts): Decision {
  if (work.scope === 'shared') return ALLOWED;
  if (work.scope === 'solo' || work.team_id === null) return work.user_id === principal.user_id ? ALLOWED : INVISIBLE;
  return membershipIn(principal, work.team_id)?.capabilities.has('work.read') ? ALLOWED : INVISIBLE;
}

/** Claiming, editing, reporting progress, commenting: whoever may write work in the team, and everybody on what is shared. */
export function mayChangeWork(principal: Principal, work: WorkFacts): Decision {
  const seen = maySeeWork(principal, work);
  if (!seen.allowed || work.scope !== 'team' || work.team_id === null) return seen;
  return mayInTeam(principal, work.team_id, 'work.write');
}

/** Deleting, restoring, taking a task away from another agent: its user, in a team also whoever manages work there. */
export function mayManageWork(principal: Principal, work: WorkFacts): Decision {
  const change = mayChangeWork(principal, work);
  if (!change.allowed || work.user_id === principal.user_id) return change;
  if (work.scope === 'team' && work.team_id !== null) return mayInTeam(principal, work.team_id, 'work.manage');
  return { allowed: false, visible: true, reason: 'It belongs to somebody else.' };
}

/** Whether new work may be put there. */
export function mayAddWork(principal: Principal, place: Pick<WorkFacts, 'scope' | 'team_id'>): Decision {
  if (place.scope === 'solo' || place.scope === 'shared') return ALLOWED;
  if (place.scope !== 'team') return INVISIBLE;
  return mayInTeam(principal, place.team_id, 'work.write');
}
