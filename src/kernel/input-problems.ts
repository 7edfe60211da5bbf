// What is wrong with an input, in words that help: the branch of a union that was meant, and names that were nearly right.
import type { z } from 'zod';
import { printable } from './text-safety.ts';

export interface InputProblem {
  /** Path of the field with dots, or `input`. */
  readonly field: string;
  readonly problem: string;
}

type Issue = z.core.$ZodIssue;

/** Both may repeat what the caller sent, which may be long or hold control characters. */
const FIELD_MAX_CHARS = 100;
const PROBLEM_MAX_CHARS = 300;
const NAME_MAX_CHARS = 64;

/** At most `max` problems of `input`, each as the field and what is wrong with it. */
export function problemsOf(issues: readonly Issue[], max: number, input?: unknown): InputProblem[] {
  return issues
    .slice(0, max)
    .flatMap((issue) => (isMissing(issue, input) ? [{ path: issue.path, message: 'is required' }] : leaves(issue, [])))
    .slice(0, max)
    .map(({ path, message }) => ({
      field: shown(path.map(String).join('.') || 'input', FIELD_MAX_CHARS),
      problem: shown(message, PROBLEM_MAX_CHARS),
    }));
}

/** Whatever its type, a field that was left out has one problem. */
function isMissing({ code, path }: Issue, input: unknown): boolean {
  if (path.length === 0 || !['invalid_type', 'invalid_value', 'invalid_union'].includes(code)) return false;
  let value = input;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return false;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[part];
  }
  return value === undefined;
}

/**
 * "Invalid input" is all that a union says by itself. Its branch that accepts the kind of value sent is the one that was
 * meant; where none does, the expected kinds of all are named.
 */
function leaves(issue: Issue, above: readonly PropertyKey[]): { path: readonly PropertyKey[]; message: string }[] {
  const path = [...above, ...issue.path];
  if (issue.code !== 'invalid_union') return [{ path, message: issue.message }];
  const meant = issue.errors.find((branch) => !branch.some(isWrongKind));
  if (meant && meant.length > 0) return meant.flatMap((inner) => leaves(inner, path));
  const kinds = issue.errors.flat().flatMap((inner) => (inner.code === 'invalid_type' ? [inner.expected] : []));
  return [{ path, message: kinds.length > 0 ? mustBe(kinds) : issue.message }];
}

const KINDS: Readonly<Record<string, string>> = {
  ...{ string: 'a text', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list' },
  ...{ object: 'an object', record: 'an object' },
};

function mustBe(kinds: readonly string[]): string {
  return `must be ${[...new Set(kinds.map((kind) => KINDS[kind] ?? kind))].join(' or ')}`;
}

/** What is wrong, as it reads after the name of the field. For a parse; what a schema says in words of its own stays. */
export function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return mustBe([issue.expected]);
    case 'invalid_value':
      return issue.values.length === 1
        ? `must be ${String(issue.values[0])}`
        : `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return sizeInWords(issue.origin, Number(issue.minimum), issue, ['at least', 'more than']);
    case 'too_big':
      return sizeInWords(issue.origin, Number(issue.maximum), issue, ['at most', 'less than']);
    case 'unrecognized_keys':
      return `has no ${issue.keys.length === 1 ? 'field' : 'fields'} ${issue.keys.join(', ')}`;
    default:
      return undefined;
  }
}

const UNITS: Readonly<Record<string, readonly [string, string]>> = {
  string: ['character', 'characters'],
  array: ['item', 'items'],
  set: ['item', 'items'],
};

function sizeInWords(
  origin: string,
  limit: number,
  { code, inclusive, exact }: { readonly code?: string; readonly inclusive?: boolean; readonly exact?: boolean },
  [within, beyond]: readonly [string, string],
): string | undefined {
  const bound = exact ? 'exactly' : inclusive === false ? beyond : within;
  const unit = UNITS[origin];
  if (unit) {
    if (code === 'too_small' && limit === 1 && inclusive !== false && !exact) return 'is empty';
    return `must have ${bound} ${limit} ${unit[limit === 1 ? 0 : 1]}`;
  }
  return ['number', 'int', 'bigint'].includes(origin) ? `must be ${bound} ${limit}` : undefined;
}

function isWrongKind(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.path.length === 0;
}

function shown(text: string, max_chars: number): string {
  const line = printable(text).replaceAll('\n', ' ').toWellFormed();
  return line.length <= max_chars ? line : `${line.slice(0, max_chars - 1).toWellFormed()}…`;
}

/** Known names that a wrong one may stand for, nearest first: parts of each other, or few letters apart. */
export function nearest(wrong: string, known: readonly string[]): string[] {
  const name = wrong.toLowerCase().replaceAll('-', '_');
  if (name === '' || name.length > NAME_MAX_CHARS) return [];
  return known
    .map((candidate) => ({ candidate, distance: distanceOf(name, candidate) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
}

function distanceOf(name: string, candidate: string): number {
  if (name === candidate) return 0;
  if (name.length > 2 && (candidate.includes(name) || name.includes(candidate))) return 1;
  return editDistance(name, candidate);
}

/** Levenshtein's distance, one row at a time (Wagner and Fischer, 1974). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
