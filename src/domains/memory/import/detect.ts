// Recognises what a source holds from its first bytes and its name, before anything is parsed.
import { isSessionLine } from './claude-code.ts';
import { encodingOf } from './lines.ts';
import { isRecord } from './shapes.ts';
import { isTranscript } from './transcript.ts';
import type { DetectedFormat } from './types.ts';

const MARKDOWN_NAME = /\.(?:md|markdown|mdx)$/i;

/**
 * The format of a source by its beginning (64 kB are plenty) and, where given, its file name.
 * Undefined for an empty source. Text that is nothing else is Markdown.
 */
export function detectFormat(head: Uint8Array | string, name = ''): DetectedFormat | undefined {
  if (isZip(head)) return 'zip';
  const text = headText(head).trimStart();
  if (text === '') return undefined;
  if (/\.(?:jsonl|ndjson)$/i.test(name)) return linesFormat(text);
  if (text.startsWith('{')) return /\n[ \t]*[^\s{]/.test(text) && !parsesFirstLine(text) ? 'json' : linesFormat(text);
  if (/^\[\s*(?:[{\]]|$)/.test(text) || /\.json$/i.test(name)) return arrayFormat(text);
  if (MARKDOWN_NAME.test(name) || text.startsWith('---\n') || text.startsWith('---\r\n')) return 'markdown';
  return isTranscript(text) ? 'transcript' : 'markdown';
}

/** The head as text, in the encoding its byte order mark announces. */
export function headText(head: Uint8Array | string): string {
  const text = typeof head === 'string' ? head : new TextDecoder(encodingOf(head)).decode(head, { stream: true });
  return text.replace(/^\ufeff/, '');
}

function isZip(head: Uint8Array | string): boolean {
  return typeof head !== 'string' && head[0] === 0x50 && head[1] === 0x4b && head[2] === 0x03 && head[3] === 0x04;
}

function parsesFirstLine(text: string): boolean {
  return parseLine(text.split('\n', 1)[0] ?? '') !== undefined;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function linesFormat(text: string): DetectedFormat {
  const values = text.split('\n', 20).map(parseLine).filter(isRecord);
  return values.some(isSessionLine) ? 'claude-code' : 'jsonl';
}

/** An array says by the fields of its first elements whose export it is. */
function arrayFormat(text: string): DetectedFormat {
  if (/"mapping"\s*:\s*\{/.test(text)) return 'chatgpt';
  if (/"chat_messages"\s*:\s*\[/.test(text)) return 'claude-ai';
  if (/^\[\s*\{[^{}[\]]{0,2000}"role"\s*:/.test(text)) return 'messages';
  return 'json';
}
