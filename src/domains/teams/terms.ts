// The terms of a membership that somebody asks for: role, overrides and end, checked and completed.
import { TEAM_CAPABILITIES, type TeamRole } from '../../kernel/operation.ts';
import type { CapabilityOverrides } from '../access/index.ts';
import { badMembership } from './errors.ts';
import type { MemberFields } from './repository.ts';

export interface AskedTerms {
  readonly role: TeamRole;
  /** Undefined: as it was; null: no end. */
  readonly expires_at?: string | null | undefined;
  /** Undefined: as it was where the role stays, else none. */
  readonly capabilities?: Readonly<Record<string, boolean>> | undefined;
}

/** `before`: the membership as it is, where there is one. Throws `invalid_input`. */
export function termsOf(asked: AskedTerms, before: MemberFields | undefined, now: string): MemberFields {
  const { role } = asked;
  const overrides = asked.capabilities
    ? ordered(asked.capabilities)
    : before?.role === role
      ? ordered(before.overrides)
      : {};
  if (typeof asked.expires_at === 'string' && asked.expires_at <= now)
    throw badMembership(`expires_at ${asked.expires_at} is not in the future.`, `It is ${now} now.`);
  if (role === 'owner') {
    if (typeof asked.expires_at === 'string')
      throw badMembership('an owner has no expires_at.', 'Leave it out, or give another role.');
    if (Object.keys(overrides).length > 0)
      throw badMembership('an owner may do everything: capabilities do not apply.', 'Leave capabilities out.');
    return { role, overrides: {}, expires_at: null };
  }
  const expires_at = asked.expires_at === undefined ? (before?.expires_at ?? null) : asked.expires_at;
  if (role === 'guest' && expires_at === null)
    throw badMembership('a guest needs expires_at.', 'Say until when, for example 2030-01-31T18:00:00Z.');
  return { role, overrides, expires_at };
}

export function sameTerms(a: MemberFields, b: MemberFields): boolean {
  const key = ({ role, overrides, expires_at }: MemberFields) => JSON.stringify([role, ordered(overrides), expires_at]);
  return key(a) === key(b);
}

function ordered(overrides: Readonly<Record<string, boolean | undefined>>): CapabilityOverrides {
  const given = TEAM_CAPABILITIES.filter((capability) => Object.hasOwn(overrides, capability));
  return Object.fromEntries(given.map((capability) => [capability, overrides[capability] === true]));
}

export interface MemberChange {
  readonly team_id: string;
  readonly user_id: string;
}
