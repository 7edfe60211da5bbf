// External ids: the same source gives the same id on every import, so that importing twice doubles nothing.
import { createHash } from 'node:crypto';
import { ID_PATTERN } from '../../../kernel/ids.ts';
import { limits } from '../../../kernel/limits.ts';

/** Room for a part suffix such as `:p12` behind an id. */
const SUFFIX_LENGTH_MAX_CHARS = 16;

/** A short digest of the parts; the parts are kept apart, so ("a", "b") differs from ("ab", ""). */
export function digestOf(...parts: readonly (string | number | undefined)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part === undefined ? '-' : `+${part}`).update('\u0000');
  return hash.digest('hex').slice(0, 32);
}

/** Joins a format and the source's own id; an id that does not fit the id pattern or its length is digested. */
export function externalId(format: string, ...parts: readonly string[]): string {
  const own = parts.join(':');
  const whole = own.startsWith(`${format}:`) ? own : `${format}:${own}`;
  return isUsableId(whole) ? whole : `${format}:${digestOf(own)}`;
}

/** A session id as the source gives it, digested where it cannot be used as an id here. */
export function sessionIdOf(own: string): string {
  return isUsableId(own, 0) ? own : `session:${digestOf(own)}`;
}

/** The id of part `index` (from 0) of something that was split: the first part keeps the whole's id. */
export function partId(id: string, index: number): string {
  return index === 0 ? id : `${id}:p${index + 1}`;
}

/** True where a text can be an id as it is, with `room` characters left for a part suffix. */
export function isUsableId(text: string, room = SUFFIX_LENGTH_MAX_CHARS): boolean {
  return text.length <= limits.id_length_max_chars - room && ID_PATTERN.test(text);
}
