// Projects: what work belongs to. What other domains and the runtime may use.

export { createProjectBackups, type ProjectBackups } from './backup/index.ts';
export type {
  Counted,
  DriftPort,
  IncidentPort,
  OpenTask,
  ProjectDeps,
  ProjectMemories,
  ProjectMemory,
  ProjectMemoryQuery,
  TaskFacts,
  TaskFlow,
} from './deps.ts';
export { projectBackupOperations } from './operations/backups.ts';
export { projectOperations } from './operations/index.ts';
export { createProjects, type ProjectForWork, type Projects } from './projects.ts';
export type { ProjectTables } from './tables.ts';
