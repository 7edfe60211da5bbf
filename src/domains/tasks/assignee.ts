// Who a task may be given to: an agent the caller may see, whose user may work on the task where it is.
import type { OperationContext, Principal } from '../../kernel/operation.ts';
import { mayChangeWork, type WorkFacts } from '../access/index.ts';
import type { TaskDeps } from './deps.ts';
import { agentNotFound, blindAssignee } from './errors.ts';

interface Wanted {
  readonly assigned_agent_id?: string | undefined;
  readonly assigned_user_id?: string | undefined;
}

/** The agent as one that acts, with its user's teams. Errors: `not_found` for one the caller may not see. */
export async function assigneeOf(
  { agents, membershipsOf }: Pick<TaskDeps, 'agents' | 'membershipsOf'>,
  ctx: OperationContext,
  { assigned_agent_id: agent_id, assigned_user_id }: Wanted,
): Promise<Principal | undefined> {
  if (agent_id === undefined) return undefined;
  if (agent_id === ctx.principal.agent_id) return ctx.principal;
  let user_id = assigned_user_id;
  if (user_id === undefined) {
    const known = await agents.candidates(ctx);
    user_id = known.find((candidate) => candidate.agent_id === agent_id)?.user_id;
  }
  if (user_id === undefined) throw agentNotFound(agent_id);
  const teams = user_id === ctx.principal.user_id ? (ctx.principal.teams ?? []) : await membershipsOf(user_id);
  return { user_id, agent_id, machine_id: '', teams };
}

/** Errors: `invalid_input` where the agent's user may not change the task. */
export function refuseBlindAssignee(assignee: Principal, task: WorkFacts): void {
  if (!mayChangeWork(assignee, task).allowed) throw blindAssignee(assignee.agent_id);
}
