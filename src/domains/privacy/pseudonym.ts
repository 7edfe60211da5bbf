// What stands in an erased user's place: random, new with every run, so that it leads back to nobody.
import { randomBytes } from 'node:crypto';

export function newPseudonym(): string {
  return `erased-${randomBytes(8).toString('hex')}`;
}

export function isPseudonym(user_id: string): boolean {
  return /^erased-[0-9a-f]{16}$/.test(user_id);
}
