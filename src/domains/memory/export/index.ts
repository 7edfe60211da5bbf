// Exporters of memories: what the memory domain may use of them.
export { exportJsonl } from './jsonl.ts';
export { exportMarkdown, exportMarkdownFiles, type MarkdownFile } from './markdown.ts';
export type { ExportRecord } from './types.ts';
