// The tasks domain put together: what its operations, other domains and compose.ts work with.
import type { OperationContext } from '../../kernel/operation.ts';
import { type CreatedTask, createTask, type NewTaskOrigin, type PreparedTask, prepareTask } from './create.ts';
import type { TaskDeps, TaskTrx } from './deps.ts';
import type { NewTask } from './schema.ts';

export interface Tasks {
  /** For the operations of this domain. */
  readonly deps: TaskDeps;
  /** Before the transaction: secrets out, project looked up. */
  prepare(ctx: OperationContext, input: NewTask, origin?: NewTaskOrigin): Promise<PreparedTask>;
  /** In the transaction; `deps.changed(task_id)` after the commit. */
  create(trx: TaskTrx, ctx: OperationContext, prepared: PreparedTask): Promise<CreatedTask>;
}

export function createTasks(deps: TaskDeps): Tasks {
  return {
    deps,
    prepare: (ctx, input, origin) => prepareTask(deps, ctx, input, origin),
    create: (trx, ctx, prepared) => createTask(deps, trx, ctx, prepared),
  };
}
