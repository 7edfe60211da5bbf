// Export as JSON lines: every field of every memory; the importer gives the same memories back.
import { definedFields, type ExportRecord } from './types.ts';

/** One line a memory, each with its line end. Nothing is held but the record at hand. */
export async function* exportJsonl(records: AsyncIterable<ExportRecord>): AsyncGenerator<string> {
  for await (const record of records) yield `${JSON.stringify(definedFields(record))}\n`;
}
