// Who works on what, put together: learning, agents, projects and tasks, each knowing the others by narrow ports.
import { placeOfWork } from '../domains/access/index.ts';
import {
  type Agents,
  type AgentTables,
  agentOperations,
  createAgents,
  type TaskPort,
} from '../domains/agents/index.ts';
import { createLearning, type Learning } from '../domains/learning/index.ts';
import type { MemoryDomain } from '../domains/memory/index.ts';
import { type Projects, projectOperations } from '../domains/projects/index.ts';
import { outcomesOf, type TaskTables, workOf } from '../domains/tasks/index.ts';
import { bindOperation, type Operation } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';
import type { Log } from '../surfaces/runtime.ts';
import type { Access } from './access.ts';
import type { ChangeFeed } from './change-feed.ts';
import { NO_TASK_FACTS, openProjects } from './work-projects.ts';

export interface WorkParts {
  readonly store: Database;
  readonly access: Access;
  readonly memory: MemoryDomain;
  readonly feed: ChangeFeed;
  /** Replaces secrets in text on its way into the store. */
  readonly redact: (text: string) => Promise<{ readonly text: string }>;
  /** `claudeops` of the configuration. */
  readonly machine_groups: Parameters<typeof createAgents>[0]['machine_groups'];
  readonly log: Log;
}

export interface Work {
  readonly learning: Learning;
  readonly agents: Agents;
  readonly projects: Projects;
  /** Operations of the domains above, ready to run. */
  readonly operations: readonly Operation[];
  /** Forgets what is over: expired messages, contexts of sessions long gone. Returns how many rows. */
  prune(): Promise<number>;
}

export function openWork({ store, access, memory, feed, redact, machine_groups, log }: WorkParts): Work {
  const learning = createLearning({
    store,
    memory: memory.deps,
    onError: (err, message) => log.error({ err }, message),
  });
  const taskTables = store.withTables<TaskTables>();
  const agents = createAgents({
    store: store.withTables<AgentTables>(),
    tasks: NO_TASKS,
    memory: memory.deps,
    history: {
      workOf: (agent_id, ctx, limit) => workOf(taskTables, agent_id, ctx, limit),
      outcomesOf: (agent_ids, capabilities, since) => outcomesOf(taskTables, agent_ids, capabilities, since),
    },
    placeOf: async ({ project_id, ...wanted }, ctx) => {
      const id = project_id ?? ctx.project?.project_id;
      const belongs_to = id === undefined ? undefined : (await projects.projectFor(id, ctx)).place;
      return placeOfWork({ principal: ctx.principal, mode: ctx.mode, ...wanted, belongs_to });
    },
    onChanged: feed.subscribe,
    learning,
    machine_groups,
    redact,
    changed: feed.changed,
    onError: (err) => log.warn({ err }, 'heartbeats of agents were not written; the next ones bring them along'),
  });
  const projects = openProjects({ store, access, memory, learning, feed, tasks: NO_TASK_FACTS });
  return {
    learning,
    agents,
    projects,
    operations: [
      ...agentOperations.map((operation) => bindOperation(operation as never, agents.deps as never)),
      ...projectOperations.map((operation) => bindOperation(operation as never, projects.deps as never)),
    ],
    prune: () => agents.prune(),
  };
}

/** Until tasks are put in: there are none. */
const NO_TASKS: TaskPort = {
  loadOf: async (ids) =>
    new Map(ids.map((id) => [id, { held: 0, assigned_open: 0, done_30d: 0, failed_30d: 0, current_task: null }])),
  tasksOf: async () => [],
  createDelegated: () => Promise.reject(new Error('There are no tasks yet.')),
  queuedFor: async () => [],
  renew: async () => {},
};
