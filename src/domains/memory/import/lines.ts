// Bytes to text to lines, without ever holding more than one line; a line that is too long is skipped and reported.
import { TextDecoder } from 'node:util';
import { importBounds } from './bounds.ts';
import type { Cursor } from './context.ts';

export type Chunk = Uint8Array | string;

/** Text of a stream; the byte order mark decides between UTF-8 and UTF-16, wrong bytes become U+FFFD. */
export async function* decodeText(chunks: AsyncIterable<Chunk>): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  for await (const chunk of chunks) {
    if (typeof chunk === 'string') {
      yield chunk;
      continue;
    }
    decoder ??= new TextDecoder(encodingOf(chunk));
    const text = decoder.decode(chunk, { stream: true });
    if (text !== '') yield text;
  }
  const rest = decoder?.decode();
  if (rest) yield rest;
}

/** The encoding a byte order mark announces. */
export function encodingOf(head: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

export interface Line {
  readonly text: string;
  /** The text is the beginning of a line that was longer than the bound. */
  readonly isTooLong: boolean;
}

/** Lines without their ends (`\n`, `\r\n`); moves the cursor to the line that is given. */
export async function* readLines(
  texts: AsyncIterable<string>,
  cursor: Cursor,
  max: number = importBounds.line_length_max_chars,
): AsyncGenerator<Line> {
  let parts: string[] = [];
  let length = 0;
  let isTooLong = false;
  cursor.line = 0;

  function add(part: string): void {
    length += part.length;
    if (length > max) isTooLong = true;
    else if (part !== '') parts.push(part);
  }

  function take(): Line {
    const text = parts.join('');
    const line = { text: text.endsWith('\r') ? text.slice(0, -1) : text, isTooLong };
    parts = [];
    length = 0;
    isTooLong = false;
    cursor.line = (cursor.line ?? 0) + 1;
    return line;
  }

  for await (const text of texts) {
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      add(text.slice(start, end));
      yield take();
      start = end + 1;
    }
    add(text.slice(start));
  }
  if (length > 0) yield take();
}
