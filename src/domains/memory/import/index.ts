// Importers of conversations, records and documents: what the memory domain may use of them.
export { detectFormat } from './detect.ts';
export { externalId } from './ids.ts';
export { markMemory } from './memory-mark.ts';
export { openImport, textSource } from './open.ts';
export type {
  DetectedFormat,
  ImportCounts,
  ImportEvent,
  ImportedConversation,
  ImportFormat,
  ImportItem,
  ImportOptions,
  ImportPosition,
  ImportProblem,
  ImportProblemCode,
  Redact,
} from './types.ts';
