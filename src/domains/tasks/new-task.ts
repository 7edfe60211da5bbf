// A task as a call makes one: assigned where that is wanted, with the agent told of it.
import type { OperationContext } from '../../kernel/operation.ts';
import { createTask, prepareTask } from './create.ts';
import type { TaskDeps } from './deps.ts';
import type { TaskRow } from './record.ts';
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

/** Errors: those of making a task, and `not_found` for an agent the caller may not see. */
export async function createByCall(deps: TaskDeps, ctx: OperationContext, wanted: WantedTask): Promise<MadeTask> {
  const { assigned_agent_id, auto_assign: _, ...input } = wanted;
  const prepared = await prepareTask(deps, ctx, input, { assigned_agent_id });
  const { row, touched } = await deps.store.write(async (trx) => {
    const made = await createTask(deps, trx, ctx, prepared);
    if (assigned_agent_id !== undefined && assigned_agent_id !== ctx.principal.agent_id)
      await deps.agents.tell(trx, ctx, {
        to_agent_id: assigned_agent_id,
        kind: 'task',
        body: made.row.title,
        task_id: made.row.task_id,
      });
    return made;
  });
  for (const task_id of [row.task_id, ...touched]) deps.changed(task_id);
  return { row, assignment: assigned_agent_id === undefined ? null : `Assigned to ${assigned_agent_id}.` };
}
