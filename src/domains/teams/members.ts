// Changing who is in a team, and as what.
import { toIso } from '../../kernel/clock.ts';
import type { Principal } from '../../kernel/operation.ts';
import { assertAllowed, mayChangeMembership } from '../access/index.ts';
import { assertManages, assertOtherOwner, assertRoom, shown } from './checks.ts';
import type { TeamDeps } from './deps.ts';
import { memberNotFound, teamNotFound } from './errors.ts';
import { revokeInvitations } from './invitations.ts';
import { recordAct } from './records.ts';
import { beginTeamWrite, current, deleteMember, factsOf, findMember, putMember } from './repository.ts';
import { type AskedTerms, type MemberChange, sameTerms, termsOf } from './terms.ts';

/**
 * Makes the user a member on these terms, or changes the membership there is; saying the same again changes nothing.
 * Open invitations of the user end. Errors: `not_found` for the team, `forbidden`, `invalid_input`, `conflict` for a
 * last owner, `limit_exceeded`.
 */
export function putOnTeam(deps: TeamDeps, caller: Principal, { team_id, user_id }: MemberChange, asked: AskedTerms) {
  return deps.store.write(async (trx) => {
    const write = await beginTeamWrite(deps, trx, caller, team_id);
    const now = toIso(write.now_ms);
    assertManages(write);
    const row = await findMember(trx, team_id, user_id);
    const before = current(row, now);
    const terms = termsOf(asked, before, now);
    const change = { team_id, user_id, before: before && factsOf(before), after: factsOf(terms) };
    if (before && sameTerms(before, terms)) return { ...terms, changed: false };
    assertAllowed(mayChangeMembership(write.principal, change), () => teamNotFound(team_id));
    if (before?.role === 'owner' && terms.role !== 'owner') await assertOtherOwner(write);
    if (!before) await assertRoom(write);
    const { added_by, added_at } = before ?? { added_by: caller.user_id, added_at: now };
    await putMember(write, user_id, row, { ...terms, added_by, added_at });
    await revokeInvitations(write, user_id);
    await recordAct(write, {
      action: before ? 'member.changed' : 'member.added',
      target_user_id: user_id,
      details: { ...shown(terms), ...(before ? { role_before: before.role } : {}) },
    });
    return { ...terms, changed: true };
  });
}

/**
 * Takes the user out of the team, and what invitations are open. Everybody may leave but a last owner. Errors:
 * `not_found` for the team or the member, `forbidden`, `conflict` for a last owner.
 */
export function removeFromTeam(deps: TeamDeps, caller: Principal, { team_id, user_id }: MemberChange) {
  return deps.store.write(async (trx) => {
    const write = await beginTeamWrite(deps, trx, caller, team_id);
    const left = user_id === caller.user_id;
    if (!left) assertManages(write);
    const row = await findMember(trx, team_id, user_id);
    const before = current(row, toIso(write.now_ms));
    const change = { team_id, user_id, before: before && factsOf(before), after: undefined };
    assertAllowed(mayChangeMembership(write.principal, change), () => teamNotFound(team_id));
    if (before?.role === 'owner') await assertOtherOwner(write);
    if (before) await deleteMember(write, before);
    const invitations_revoked = await revokeInvitations(write, user_id);
    if (!before && invitations_revoked === 0) throw memberNotFound(user_id);
    await recordAct(write, {
      action: !before ? 'invitation.revoked' : left ? 'member.left' : 'member.removed',
      target_user_id: user_id,
      details: { invitations_revoked, ...(before ? { role_before: before.role } : {}) },
    });
    return { removed: before !== undefined, left, invitations_revoked };
  });
}
