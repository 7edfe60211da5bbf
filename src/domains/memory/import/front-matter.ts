// YAML front matter of a Markdown file: read as data, kept as JSON, never trusted to be well formed.
import { parse } from 'yaml';
import { isRecord, type JsonRecord } from './shapes.ts';

export interface FrontMatter {
  readonly fields: JsonRecord;
  readonly body: string;
  /** True where there is a front matter that is no valid YAML mapping; it then stays part of the body. */
  readonly isInvalid: boolean;
}

const FRONT_MATTER = /^---[ \t]*\n([\s\S]*?)\n?^(?:---|\.\.\.)[ \t]*(?:\n|$)/m;
/** A file of notes has a few aliases at most; more are an expansion attack. */
const ALIASES_MAX_COUNT = 20;
const DEPTH_MAX_LEVELS = 8;

/** Splits `text` (with `\n` line ends) into its front matter and the rest. */
export function readFrontMatter(text: string): FrontMatter {
  const match = text.startsWith('---') ? FRONT_MATTER.exec(text) : null;
  if (match === null || match.index !== 0) return { fields: {}, body: text, isInvalid: false };
  const fields = parseFields(match[1] ?? '');
  if (fields === undefined) return { fields: {}, body: text, isInvalid: true };
  return { fields, body: text.slice(match[0].length), isInvalid: false };
}

function parseFields(yaml: string): JsonRecord | undefined {
  try {
    const value: unknown = parse(yaml, { maxAliasCount: ALIASES_MAX_COUNT, logLevel: 'error' }) ?? {};
    const plain = plainValue(value, 0);
    return isRecord(plain) ? plain : undefined;
  } catch {
    return undefined;
  }
}

/** The value as JSON can hold it; what is too deep becomes null. */
function plainValue(value: unknown, depth: number): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX_LEVELS) return null;
  if (Array.isArray(value)) return value.map((item) => plainValue(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainValue(item, depth + 1)]));
}
