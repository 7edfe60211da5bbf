// The tasks domain put together: what its operations, other domains and compose.ts work with.
import type { OperationContext } from '../../kernel/operation.ts';
import type { AgentName } from './agent-history.ts';
import { renewClaims, type SignsOfLife } from './claims/renew.ts';
import { sweep } from './claims/sweep.ts';
import { type CreatedTask, createTask, type NewTaskOrigin, type PreparedTask, prepareTask } from './create.ts';
import type { TaskDeps, TaskTrx } from './deps.ts';
import { loadOf, prepareDelegated, queuedFor, tasksOf } from './for-agents.ts';
import { tasksForProjects } from './for-projects.ts';
import type { NewTask } from './schema.ts';

export interface Tasks {
  /** For the operations of this domain. */
  readonly deps: TaskDeps;
  /** Before the transaction: secrets out, project looked up. */
  prepare(ctx: OperationContext, input: NewTask, origin?: NewTaskOrigin): Promise<PreparedTask>;
  /** In the transaction; `deps.changed(task_id)` after the commit. */
  create(trx: TaskTrx, ctx: OperationContext, prepared: PreparedTask): Promise<CreatedTask>;
  /** Puts tasks whose claims are over back into the queue, a bounded number. Returns how many. */
  sweep(): Promise<number>;
  /** What the agents domain asks of tasks. */
  readonly forAgents: ReturnType<typeof tasksForAgents>;
  /** What the projects domain asks of tasks. */
  readonly forProjects: ReturnType<typeof tasksForProjects>;
}

export function createTasks(deps: TaskDeps): Tasks {
  return {
    deps,
    prepare: (ctx, input, origin) => prepareTask(deps, ctx, input, origin),
    create: (trx, ctx, prepared) => createTask(deps, trx, ctx, prepared),
    sweep: () => sweep(deps),
    forAgents: tasksForAgents(deps),
    forProjects: tasksForProjects(deps.store),
  };
}

function tasksForAgents(deps: TaskDeps) {
  return {
    loadOf: (agents: readonly AgentName[], ctx: OperationContext) => loadOf(deps, agents, ctx),
    tasksOf: (agent_id: string, ctx: OperationContext, limit: number) => tasksOf(deps, agent_id, ctx, limit),
    queuedFor: (capabilities: readonly string[], ctx: OperationContext, limit: number) =>
      queuedFor(deps, capabilities, ctx, limit),
    prepareDelegated: (ctx: OperationContext, task: Parameters<typeof prepareDelegated>[2]) =>
      prepareDelegated(deps, ctx, task),
    renew: (trx: TaskTrx, signs: readonly SignsOfLife[]) => renewClaims(trx, signs),
  };
}
