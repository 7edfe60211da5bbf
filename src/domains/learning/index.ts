// Learning: what happened becomes memories, and memories come back where work starts.
export { createLearning, type LearningDeps } from './learning.ts';
export type { LearningTables } from './tables.ts';
export type { Learning, LearningEvent, LearningTrx, RelatedKnowledge } from './types.ts';
