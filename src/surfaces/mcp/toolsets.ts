// Narrowed tool lists: which tools a client sees, and the two tools that keep the others within reach.
import { failure } from '../../kernel/errors.ts';
import type { Operation } from '../../kernel/operation.ts';

/** Names of toolsets to list; undefined lists everything but administration. */
export type Toolsets = ReadonlySet<string> | undefined;

/** Not a toolset of any operation: the tools marked as core, whatever their toolset. */
const CORE = 'core';
/** Every tool there is. */
export const ALL = 'all';
/** Tools of whoever runs the hub: listed where they are asked for, so that no agent carries them about. */
const ADMINISTRATION = 'admin';

/**
 * Reads `memory,tasks` (or several such texts). Throws `invalid_input` for a name no operation uses, because a silent
 * empty list would look like a broken server.
 */
export function parseToolsets(
  value: string | readonly string[] | undefined,
  operations: readonly Operation[],
): Toolsets {
  const texts = value === undefined ? [] : typeof value === 'string' ? [value] : value;
  const names = texts.flatMap((text) => text.split(',')).map((name) => name.trim().toLowerCase());
  const wanted = new Set(names.filter((name) => name !== ''));
  if (wanted.size === 0) return undefined;
  const known = new Set([CORE, ...operations.map((operation) => operation.toolset)]);
  if (wanted.has(ALL)) return new Set([...known, ALL]);
  for (const name of wanted) {
    if (known.has(name)) continue;
    throw failure(
      'invalid_input',
      `There is no toolset called ${JSON.stringify(name.slice(0, 50))}.`,
      `Toolsets: ${[...known].join(', ')}, or all.`,
    );
  }
  return wanted;
}

export function isListed(operation: Operation, toolsets: Toolsets): boolean {
  if (toolsets === undefined) return operation.toolset !== ADMINISTRATION;
  return toolsets.has(operation.toolset) || (operation.core === true && toolsets.has(CORE));
}

/** Operations that fit the words best, best first; the order of definition decides between equals. */
export function findOperations(operations: readonly Operation[], query: string, limit: number): readonly Operation[] {
  const words = query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length === 0) return operations.slice(0, limit);
  return operations
    .map((operation) => ({ operation, score: score(operation, words) }))
    .filter((found) => found.score > 0)
    .sort((left, right) => right.score - left.score)
    .slice(0, limit)
    .map((found) => found.operation);
}

function score(operation: Operation, words: readonly string[]): number {
  const name = operation.name.toLowerCase();
  const title = operation.title.toLowerCase();
  const description = operation.description.toLowerCase();
  let sum = 0;
  for (const word of words) {
    if (name.includes(word)) sum += 4;
    if (title.includes(word)) sum += 2;
    if (description.includes(word) || operation.toolset === word) sum += 1;
  }
  return sum;
}
