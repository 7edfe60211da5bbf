// Tasks: work that many agents share. What other domains and compose.ts may use.
export { outcomesOf, workOf } from './agent-history.ts';
export type { CreatedTask, NewTaskOrigin, PreparedTask } from './create.ts';
export type { AgentPort, Candidate, ProjectPort, TaskDeps, TaskSettings, TaskTrx, WipLimits } from './deps.ts';
export { holdGraph } from './graph/readiness.ts';
export { rebuildReadiness } from './graph/rebuild.ts';
export { taskOperations } from './operations/index.ts';
export type { TaskRow } from './record.ts';
export type { NewTask, Task } from './schema.ts';
export { type Priority, STATUSES, type Status } from './statuses.ts';
export type { TaskTables } from './tables.ts';
export { createTasks, type Tasks } from './tasks.ts';
export { splitBoard } from './transfer/split.ts';
