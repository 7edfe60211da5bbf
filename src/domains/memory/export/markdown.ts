// Export as Markdown: a front matter with the fields, the content below, as a folder of files or as one file of many.
import { stringify } from 'yaml';
import { markMemory } from '../import/index.ts';
import { definedFields, type ExportRecord } from './types.ts';

export interface MarkdownFile {
  /** Relative, with `/`: `<category>/<day>-<words>-<end of the id>.md`; made of letters, digits and dashes only. */
  readonly path: string;
  readonly text: string;
}

const WORDS_LENGTH_MAX_CHARS = 48;
const ID_TAIL_LENGTH_CHARS = 12;

/** A file for each memory. Paths differ where ids do. */
export async function* exportMarkdownFiles(records: AsyncIterable<ExportRecord>): AsyncGenerator<MarkdownFile> {
  for await (const record of records) yield { path: filePath(record), text: memoryText(record) };
}

/** One file that holds all memories, each behind a mark by which the importer takes them apart again. */
export async function* exportMarkdown(records: AsyncIterable<ExportRecord>): AsyncGenerator<string> {
  for await (const record of records) yield `${markMemory(memoryText(record))}\n`;
}

function memoryText(record: ExportRecord): string {
  const { content, ...fields } = definedFields(record);
  const front = stringify(fields, { lineWidth: 0, aliasDuplicateObjects: false });
  return `---\n${front}---\n\n${String(content).trim()}\n`;
}

function filePath(record: ExportRecord): string {
  const folder = slug(record.category ?? '') || 'memories';
  const day = /^\d{4}-\d{2}-\d{2}/.exec(record.created_at ?? '')?.[0];
  const words = slug(record.content.split('\n', 1)[0] ?? '')
    .slice(0, WORDS_LENGTH_MAX_CHARS)
    .replace(/-[^-]*$|-$/, '');
  const tail = slug(record.memory_id).slice(-ID_TAIL_LENGTH_CHARS).replace(/^-/, '');
  return `${folder}/${[day, words, tail].filter((part) => part).join('-')}.md`;
}

/** Lower-case letters and digits joined by dashes. */
function slug(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}
