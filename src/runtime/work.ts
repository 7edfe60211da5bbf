// Who works on what, put together: learning, agents, projects and tasks, each knowing the others by narrow ports.
import { placeOfWork } from '../domains/access/index.ts';
import { type Agents, type AgentTables, agentOperations, createAgents } from '../domains/agents/index.ts';
import { createLearning, type Learning } from '../domains/learning/index.ts';
import type { MemoryDomain } from '../domains/memory/index.ts';
import {
  type ProjectBackups,
  type Projects,
  projectBackupOperations,
  projectOperations,
} from '../domains/projects/index.ts';
import { outcomesOf, type Tasks, type TaskTables, taskOperations, workOf } from '../domains/tasks/index.ts';
import { bindOperation, type Operation } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';
import type { KeyRing } from '../storage/keyring/index.ts';
import type { Log } from '../surfaces/runtime.ts';
import type { Access } from './access.ts';
import type { ChangeFeed } from './change-feed.ts';
import { openProjectBackups } from './work-backups.ts';
import { openProjects } from './work-projects.ts';
import { openTasks, type TaskConfig } from './work-tasks.ts';

export interface WorkParts {
  readonly store: Database;
  readonly access: Access;
  readonly memory: MemoryDomain;
  readonly feed: ChangeFeed;
  /** Replaces secrets in text on its way into the store. */
  readonly redact: (text: string) => Promise<{ readonly text: string }>;
  /** `claudeops` of the configuration. */
  readonly machine_groups: Parameters<typeof createAgents>[0]['machine_groups'];
  readonly tasks: TaskConfig;
  readonly log: Log;
  /** For backups of projects. */
  readonly keyring: KeyRing;
  readonly data_dir: string;
}

export interface Work {
  readonly learning: Learning;
  readonly agents: Agents;
  readonly projects: Projects;
  readonly backups: ProjectBackups;
  readonly tasks: Tasks;
  /** Operations of the domains above, ready to run. */
  readonly operations: readonly Operation[];
  /** Forgets what is over: expired messages, contexts of sessions long gone. Returns how many rows. */
  prune(): Promise<number>;
}

export function openWork(parts: WorkParts): Work {
  const { store, access, memory, feed, redact, machine_groups, tasks: config, log } = parts;
  const learning = createLearning({
    store,
    memory: memory.deps,
    onError: (err, message) => log.error({ err }, message),
  });
  const taskTables = store.withTables<TaskTables>();
  const agents = createAgents({
    store: store.withTables<AgentTables>(),
    tasks: {
      loadOf: (named, ctx) => tasks.forAgents.loadOf(named, ctx),
      tasksOf: (agent_id, ctx, limit) => tasks.forAgents.tasksOf(agent_id, ctx, limit),
      prepareDelegated: async (ctx, task) => {
        const create = await tasks.forAgents.prepareDelegated(ctx, { ...task });
        return (trx) => create(trx as never);
      },
      queuedFor: (capabilities, ctx, limit) => tasks.forAgents.queuedFor(capabilities, ctx, limit),
      renew: (trx, signs) => tasks.forAgents.renew(trx as never, signs),
    },
    memory: memory.deps,
    history: {
      workOf: (agent, ctx, limit) => workOf(taskTables, agent, ctx, limit),
      outcomesOf: (named, capabilities, since) => outcomesOf(taskTables, named, capabilities, since),
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
  const tasks = openTasks({
    ...{ store, learning, redact, feed, config },
    agents: { ...agents, tell: (trx, ctx, message) => agents.tell(trx as never, ctx, message) },
    projects: { projectFor: (project_id, ctx) => projects.projectFor(project_id, ctx) },
    heartbeats: agents.deps.presence,
  });
  const projects = openProjects({ store, access, memory, learning, feed, tasks: tasks.forProjects });
  const backups = openProjectBackups(parts);
  return {
    learning,
    agents,
    projects,
    backups,
    tasks,
    operations: [
      ...agentOperations.map((operation) => bindOperation(operation as never, agents.deps as never)),
      ...projectOperations.map((operation) => bindOperation(operation as never, projects.deps as never)),
      ...projectBackupOperations.map((operation) => bindOperation(operation as never, backups as never)),
      ...taskOperations.map((operation) => bindOperation(operation as never, tasks.deps as never)),
    ],
    prune: () => agents.prune(),
  };
}
