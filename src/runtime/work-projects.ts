// Projects put together with what they ask of memories, tasks and the change feed.
import type { AgentTables } from '../domains/agents/index.ts';
import type { AuditTables } from '../domains/audit/index.ts';
import type { Learning, LearningTables } from '../domains/learning/index.ts';
import { countOfProject, listOfProject, type MemoryDomain } from '../domains/memory/index.ts';
import {
  createProjects,
  type ProjectMemories,
  type Projects,
  type ProjectTables,
  type TaskFacts,
} from '../domains/projects/index.ts';
import type { Database } from '../storage/database.ts';
import type { Access } from './access.ts';
import type { ChangeFeed } from './change-feed.ts';

type StoreTables = ProjectTables & AgentTables & LearningTables & AuditTables;

export interface ProjectParts {
  readonly store: Database;
  readonly access: Access;
  readonly memory: MemoryDomain;
  readonly learning: Learning;
  readonly feed: ChangeFeed;
  readonly tasks: TaskFacts;
}

export function openProjects({ store, access, memory, learning, feed, tasks }: ProjectParts): Projects {
  return createProjects({
    store: store.withTables<StoreTables>(),
    audit: access.audit,
    learning,
    tasks,
    memories: memoriesOf(memory),
    redact: memory.deps.redact,
    changed: (project_id) => feed.changed('project', project_id),
  });
}

function memoriesOf({ deps: { store } }: MemoryDomain): ProjectMemories {
  return {
    list: (project, { principal }, query) => listOfProject(store, project, principal, query),
    count: (project, { principal }, query) => countOfProject(store, project, principal, query),
  };
}
