// The seam between containers (JSONL, JSON arrays) and shapes of content: a parser takes one value after the other.
import type { JsonRecord } from './shapes.ts';
import type { ImportFormat, ParsedEvent } from './types.ts';

export type ParsedEvents = AsyncIterable<ParsedEvent> | Iterable<ParsedEvent>;

/** Parses the values of one format. It may hold back events until later values, or the end, complete them. */
export interface ValueParser {
  readonly format: ImportFormat;
  /** Whether a value has this format's shape. */
  readonly accepts: (value: JsonRecord) => boolean;
  readonly take: (value: JsonRecord) => ParsedEvents;
  /** Gives what is still held back. */
  readonly end: () => ParsedEvents;
}
