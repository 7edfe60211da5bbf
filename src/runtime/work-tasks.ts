// Tasks put together with what they ask of agents, projects, teams and the change feed.
import type { Learning } from '../domains/learning/index.ts';
import {
  type AgentPort,
  createTasks,
  type ProjectPort,
  type TaskDeps,
  type Tasks,
  type TaskTables,
} from '../domains/tasks/index.ts';
import { membershipsOf, type TeamTables } from '../domains/teams/index.ts';
import { toIso } from '../kernel/clock.ts';
import type { Database } from '../storage/database.ts';
import type { ChangeFeed } from './change-feed.ts';

/** `claudeops.tasks` of the configuration. */
export interface TaskConfig {
  readonly wip_limits: Readonly<Partial<Record<'todo' | 'in_progress' | 'blocked' | 'review', number | undefined>>>;
  readonly agent_wip_limit?: number | undefined;
  readonly lease_seconds: number;
}

export interface TaskParts {
  readonly store: Database;
  readonly learning: Learning;
  readonly agents: AgentPort & { told(task_id: string): void };
  readonly projects: ProjectPort;
  readonly heartbeats: TaskDeps['heartbeats'];
  readonly redact: (text: string) => Promise<{ readonly text: string }>;
  readonly feed: ChangeFeed;
  readonly config: TaskConfig;
}

export function openTasks({ store, learning, agents, projects, heartbeats, redact, feed, config }: TaskParts): Tasks {
  const teams = store.withTables<TeamTables>();
  const columns = Object.entries(config.wip_limits).filter(([, most]) => most !== undefined);
  return createTasks({
    store: store.withTables<TaskTables>(),
    agents,
    projects,
    heartbeats,
    learning,
    settings: {
      wip: { columns: Object.fromEntries(columns), per_agent: config.agent_wip_limit },
      lease_seconds: config.lease_seconds,
    },
    membershipsOf: (user_id) => membershipsOf(teams.db, user_id, toIso(store.clock.now())),
    redact,
    changed(task_id) {
      feed.changed('task', task_id);
      agents.told(task_id);
    },
  });
}
