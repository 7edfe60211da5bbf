// Reads a whole import into lists, for tests.
import { join } from 'node:path';
import {
  type ImportCounts,
  type ImportedConversation,
  type ImportItem,
  type ImportOptions,
  type ImportProblem,
  openImport,
  textSource,
} from '../../../src/domains/memory/import/index.ts';

export interface Collected {
  readonly items: ImportItem[];
  readonly problems: ImportProblem[];
  readonly conversations: ImportedConversation[];
  readonly counts: ImportCounts;
}

export async function collect(
  source: string | AsyncIterable<Uint8Array | string>,
  options: ImportOptions = {},
): Promise<Collected> {
  const items: ImportItem[] = [];
  const problems: ImportProblem[] = [];
  const conversations: ImportedConversation[] = [];
  for await (const event of openImport(source, options)) {
    if (event.type === 'item') items.push(event.item);
    else if (event.type === 'problem') problems.push(event);
    else if (event.type === 'conversation') conversations.push(event);
    else return { items, problems, conversations, counts: event.counts };
  }
  throw new Error('the import ended without `done`');
}

export function collectText(text: string, options: ImportOptions = {}): Promise<Collected> {
  return collect(textSource(text), options);
}

/** A stream that gives the text's bytes in pieces of `size`. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Path of a sample file beside this one. */
export function sample(name: string): string {
  return join(import.meta.dirname, name);
}
