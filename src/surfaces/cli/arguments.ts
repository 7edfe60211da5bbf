// From words on the command line to an operation's input. Pure: reading `-` and `@file` is done by read-text.ts.
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import type { Field } from './fields.ts';

/** Options of every command that take a value (globals.ts), without dashes. */
export const GLOBAL_VALUE_FLAGS: ReadonlySet<string> = new Set(['data-dir', 'config']);

/**
 * Rewrites flags to the one spelling the parser knows: `--project_id x` becomes `--project-id=x`, `--explain=false`
 * becomes `--no-explain`. Values, and everything after `--`, are left exactly as they are.
 */
export function normaliseArguments(fields: readonly Field[], words: readonly string[]): string[] {
  const byFlag = new Map(fields.map((field) => [field.flag, field]));
  const out: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--') return [...out, ...words.slice(i)];
    if (!word.startsWith('--')) {
      out.push(word);
      continue;
    }
    const flag = splitFlag(word);
    const field = byFlag.get(flag.name);
    if (field?.kind === 'boolean') {
      out.push(booleanFlag(field, flag.value));
      continue;
    }
    const takesValue = field !== undefined || GLOBAL_VALUE_FLAGS.has(flag.name);
    // Joined, so that a value that starts with dashes stays a value.
    const value = flag.value ?? (takesValue ? words[++i] : undefined);
    out.push(value === undefined ? `--${flag.name}` : `--${flag.name}=${value}`);
  }
  return out;
}

function splitFlag(word: string): { readonly name: string; readonly value: string | undefined } {
  const equals = word.indexOf('=');
  const name = word.slice(2, equals < 0 ? undefined : equals).replaceAll('_', '-');
  return { name, value: equals < 0 ? undefined : word.slice(equals + 1) };
}

const TRUE_WORDS = new Set(['true', 'yes', 'on', '1']);
const FALSE_WORDS = new Set(['false', 'no', 'off', '0']);

function booleanFlag(field: Field, value: string | undefined): string {
  if (value === undefined || TRUE_WORDS.has(value)) return `--${field.flag}`;
  if (FALSE_WORDS.has(value)) return `--no-${field.flag}`;
  throw usage(field, 'is true or false');
}

/** Turns the texts given for one field into its value. Throws `invalid_input` naming the flag. */
export function toValue(field: Field, texts: readonly string[]): unknown {
  const last = texts.at(-1) ?? '';
  if (field.nullable && last === 'null') return null;
  switch (field.kind) {
    case 'number':
      return toNumber(field, last);
    case 'numbers':
      return listOf(texts).map((text) => toNumber(field, text));
    case 'strings':
      return listOf(texts);
    case 'json':
      return toJson(field, last);
    case 'any':
      return jsonOrText(last);
    case 'boolean':
      return TRUE_WORDS.has(last);
    case 'string':
      return last;
  }
}

/** Repeated and comma-separated values as one list; a JSON array is taken as it is, for items that hold commas. */
function listOf(texts: readonly string[]): string[] {
  return texts.flatMap((text) => {
    const parsed = text.startsWith('[') ? jsonOrText(text) : undefined;
    if (Array.isArray(parsed)) return parsed.map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
    return text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  });
}

function toNumber(field: Field, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw usage(field, 'is a number');
}

function toJson(field: Field, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw usage(field, 'is JSON', `For example --${field.flag} '{"key": "value"}' or --${field.flag} @file.json`);
  }
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function usage(field: Field, problem: string, hint = `See the command's --help for --${field.flag}.`): HaivemindError {
  return failure('invalid_input', `--${field.flag} ${problem}.`, hint, { details: { field: field.name } });
}
