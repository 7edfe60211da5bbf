// Memory: storing, finding and forgetting. What other domains, surfaces and compose.ts may use.
export { createMemory, type MemoryDomain } from './create.ts';
export { exportMemories } from './export-service.ts';
export type { ImportFormat } from './import/index.ts';
export { IMPORT_FORMATS, type ImportStep } from './import-service.ts';
export { countOfProject, listOfProject } from './of-project.ts';
export { memoryOperations } from './operations/index.ts';
export { redactSecrets } from './redaction/index.ts';
export { summarise } from './render.ts';
export type { Redact } from './rules/deps.ts';
export {
  countMentions,
  type ErasedMemories,
  type ErasureGuard,
  eraseMemoriesOf,
  type Mentions,
  renameInMemories,
  replaceMentions,
} from './rules/erasing.ts';
export { cleanUp } from './rules/lifecycle.ts';
export { redactMetadata } from './rules/redacted-fields.ts';
export {
  announceRestored,
  IDENTITIES,
  type Identity,
  identityAs,
  identityOf,
  type RestoredRow,
  restoreMemories,
  visibleMemories,
} from './rules/restoring.ts';
export { type StagedMemory, stageMemory, storeMemory } from './rules/store.ts';
export { CATEGORIES, newMemorySchema } from './schema.ts';
export { findByWords } from './search/by-words.ts';
export type { DriftReport, ReindexOptions, ReindexProgress, ReindexReport } from './search/reindex.ts';
export { callerOf, type MemoryDeps } from './service.ts';
export type { MemoryTables } from './tables.ts';
