// A task as a call makes one: assigned where that is wanted, with the agent told of it.
import { failure } from '../../kernel/errors.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { placeOfWork, type WorkPlace } from '../access/index.ts';
import { bestFor } from './assign.ts';
import { createTask, type PreparedTask, prepareTask } from './create.ts';
import type { TaskDeps } from './deps.ts';
import type { TaskRow } from './record.ts';
import { findVisible } from './repository.ts';
import type { NewTask } from './schema.ts';

export interface WantedTask extends NewTask {
  readonly assigned_agent_id?: string | undefined;
  readonly auto_assign: boolean;
}

export interface MadeTask {
  readonly row: TaskRow;
  /** Why this agent, or why none; null where none was asked for. */
  readonly assignment: string | null;
}

/**
 * Errors: those of making a task, `not_found` for an agent the caller may not see, `invalid_input` where one is named and
 * the best one is wanted.
 */
export async function createByCall(deps: TaskDeps, ctx: OperationContext, wanted: WantedTask): Promise<MadeTask> {
  const { assigned_agent_id, auto_assign, ...input } = wanted;
  if (auto_assign && assigned_agent_id !== undefined) throw twoWishes();
  const asked = await prepareTask(deps, ctx, input, { assigned_agent_id });
  const { prepared, assignment } = auto_assign
    ? await withBest(deps, ctx, asked)
    : { prepared: asked, assignment: null };
  const agent_id = prepared.assignee?.agent_id;
  const { row, touched } = await deps.store.write(async (trx) => {
    const made = await createTask(deps, trx, ctx, prepared);
    const { task_id, title } = made.row;
    const body = `Assigned to you by ${ctx.principal.agent_id}: ${title}. claim_next task_id=${task_id} takes it.`;
    if (agent_id !== undefined && agent_id !== ctx.principal.agent_id)
      await deps.agents.tell(trx, ctx, { to_agent_id: agent_id, kind: 'task', body, task_id, work: made.row });
    return made;
  });
  for (const task_id of [row.task_id, ...touched]) deps.changed(task_id);
  const named = assigned_agent_id === undefined ? null : `Assigned to ${assigned_agent_id}.`;
  return { row, assignment: assignment ?? named };
}

/** For the best agent that is there, among those whose users may work where the task goes. */
async function withBest(deps: TaskDeps, ctx: OperationContext, prepared: PreparedTask) {
  const { principal, mode } = ctx;
  const { scope, team_id, parent_id, required_capabilities = [] } = prepared.input;
  const story = parent_id === undefined ? undefined : await findVisible(deps.store.db, parent_id, principal);
  const belongs_to = (story as WorkPlace | undefined) ?? prepared.project?.place;
  const { agent, explanation } = await bestFor(deps, ctx, {
    ...placeOfWork({ principal, mode, scope, team_id, belongs_to }),
    user_id: principal.user_id,
    required_capabilities: JSON.stringify(required_capabilities),
  });
  if (!agent) return { prepared, assignment: `Nobody's yet. ${explanation}` };
  const origin = { ...prepared.origin, assigned_agent_id: agent.agent_id };
  return { prepared: { ...prepared, origin, assignee: agent }, assignment: explanation };
}

function twoWishes() {
  return failure(
    'invalid_input',
    'Say assigned_agent_id or auto_assign=true, not both.',
    'auto_assign=true chooses the best agent that is there.',
  );
}
