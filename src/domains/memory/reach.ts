// Where a list or a search looks: the mode decides, unless scopes are named. What may be seen at all is the policy's.
import { type ModeContext, type OperationContext, type Principal, SOLO } from '../../kernel/operation.ts';
import type { MemoryFilter, Reach, ReachPart } from './filters.ts';
import type { Scope } from './schema.ts';

/**
 * Without scopes: one's own memories in solo and vault mode, the team's and shared ones in team mode. With scopes: all
 * of these scopes that may be seen, where `team` means the team of the mode, or outside team mode all of one's teams.
 */
export function reachOf(mode: ModeContext, scopes: readonly Scope[] | undefined, principal: Principal): Reach {
  const own = { user_id: principal.user_id };
  const team: ReachPart =
    mode.mode === 'team' && mode.context_id !== null ? { scope: 'team', team_id: mode.context_id } : { scope: 'team' };
  const parts = [...new Set(scopes)].map((scope): ReachPart => {
    if (scope === 'team') return team;
    return scope === 'solo' ? { scope, ...own } : { scope };
  });
  const [first, ...rest] = parts;
  if (first) return [first, ...rest];
  return mode.mode === 'team' ? [team, { scope: 'shared' }] : [own];
}

/** The part of a filter that says where this call looks. */
export function reachIn(
  { mode, principal }: Pick<OperationContext, 'mode' | 'principal'>,
  scopes: readonly Scope[] | undefined,
): Pick<MemoryFilter, 'reach'> {
  return { reach: reachOf(mode ?? SOLO, scopes, principal) };
}
