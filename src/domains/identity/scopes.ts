// Scopes of tokens: the words of PERMISSIONS, where the part before the dot stands for all of its group.
import { failure } from '../../kernel/errors.ts';
import { PERMISSIONS, type Permission } from '../../kernel/operation.ts';

const GROUPS = [...new Set(PERMISSIONS.map((permission) => permission.split('.')[0] ?? permission))];

/** Permissions these words stand for, in the order of PERMISSIONS; undefined for no words. Throws `invalid_input`. */
export function parseScopes(texts: readonly string[]): readonly Permission[] | undefined {
  const words = texts.flatMap((text) => text.split(/[\s,]+/)).filter((word) => word !== '');
  const unknown = words.find((word) => permissionsOf(word).length === 0);
  if (unknown !== undefined)
    throw failure(
      'invalid_input',
      `There is no scope ${JSON.stringify(unknown.slice(0, 60))}.`,
      `Scopes are ${PERMISSIONS.join(', ')}, or a whole group: ${GROUPS.join(', ')}.`,
      { details: { field: 'scope' } },
    );
  return words.length === 0 ? undefined : expand(words);
}

/** The same of a claim another issuer wrote: words that are not ours say nothing about this hub. */
export function knownScopes(claim: unknown): readonly Permission[] | undefined {
  const texts = Array.isArray(claim) ? claim : [claim];
  const words = texts.flatMap((text) => (typeof text === 'string' ? text.split(/\s+/) : []));
  const found = expand(words);
  return found.length === 0 ? undefined : found;
}

function expand(words: readonly string[]): readonly Permission[] {
  const wanted = new Set(words.flatMap(permissionsOf));
  return PERMISSIONS.filter((permission) => wanted.has(permission));
}

function permissionsOf(word: string): readonly Permission[] {
  return PERMISSIONS.filter((permission) => permission === word || permission.startsWith(`${word}.`));
}
