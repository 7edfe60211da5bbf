// Invitations: a code that makes one certain user a member, once, if whoever invited may still do so.
import { createHash, randomBytes } from 'node:crypto';
import { toIso } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { Principal, TeamRole } from '../../kernel/operation.ts';
import { assertAllowed, type CapabilityOverrides, mayChangeMembership } from '../access/index.ts';
import { assertManages, assertRoom, shown } from './checks.ts';
import type { TeamDeps, TeamTrx, TeamWrite } from './deps.ts';
import { invitationNotFound, teamNotFound } from './errors.ts';
import { membershipsOf } from './memberships.ts';
import { recordAct } from './records.ts';
import { beginTeamWrite, current, factsOf, findMember, type MemberFields, putMember } from './repository.ts';
import { type AskedTerms, type MemberChange, termsOf } from './terms.ts';

/** 256 random bits: nobody finds one by trying. */
const CODE_BYTES = 32;

const hashOf = (code: string) => createHash('sha256').update(code).digest('hex');

/**
 * Invites the user on these terms; earlier open invitations of the user end. The code is returned once and only its hash
 * is kept. Errors: those of putting somebody on the team, and `conflict` for who is a member already.
 */
export async function invite(deps: TeamDeps, caller: Principal, member: MemberChange, asked: AskedTerms) {
  const invitation_code = `inv_${randomBytes(CODE_BYTES).toString('base64url')}`;
  const { team_id, user_id } = member;
  return deps.store.write(async (trx) => {
    const write = await beginTeamWrite(deps, trx, caller, team_id);
    const now = toIso(write.now_ms);
    assertManages(write);
    const terms = termsOf(asked, undefined, now);
    const change = { team_id, user_id, before: undefined, after: factsOf(terms) };
    assertAllowed(mayChangeMembership(write.principal, change), () => teamNotFound(team_id));
    if (current(await findMember(trx, team_id, user_id), now))
      throw failure('conflict', `${user_id} is in the team already.`, 'Leave invite out to change the membership.');
    await revokeInvitations(write, user_id);
    const expires_at = toIso(write.now_ms + limits.team_invitation_ttl_ms);
    const invitation_id = newId('tin', write.now_ms);
    await trx
      .insertInto('team_invitations')
      .values({
        invitation_id,
        team_id,
        user_id,
        role: terms.role,
        capabilities: JSON.stringify(terms.overrides),
        member_expires_at: terms.expires_at,
        code_hash: hashOf(invitation_code),
        created_at: now,
        created_by: caller.user_id,
        expires_at,
        accepted_at: null,
        revoked_at: null,
      })
      .execute();
    await recordAct(write, {
      action: 'invitation.created',
      target_user_id: user_id,
      details: { invitation_id, ...shown(terms) },
    });
    return { ...terms, invitation_code, invitation_expires_at: expires_at };
  });
}

/** Ends the user's open invitations to the team. Returns how many there were. */
export async function revokeInvitations({ trx, team_id, now_ms }: TeamWrite, user_id: string): Promise<number> {
  const now = toIso(now_ms);
  const revoked = await trx
    .updateTable('team_invitations')
    .set({ revoked_at: now })
    .where('team_id', '=', team_id)
    .where('user_id', '=', user_id)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return Number(revoked.numUpdatedRows);
}

/** Makes the caller a member as invited. Errors: one `not_found` whatever is wrong with the code; `limit_exceeded`. */
export function acceptInvitation(deps: TeamDeps, caller: Principal, invitation_code: string) {
  const code_hash = hashOf(invitation_code);
  return deps.store.write(async (trx) => {
    const found = await openInvitation(trx, code_hash, caller, toIso(deps.store.clock.now()));
    if (!found) throw invitationNotFound();
    const write = await beginTeamWrite(deps, trx, caller, found.team_id);
    const now = toIso(write.now_ms);
    // Once more, with the team held: somebody may have used or revoked it in between.
    const invitation = await openInvitation(trx, code_hash, caller, now);
    const { team_id } = write;
    const row = await findMember(trx, team_id, caller.user_id);
    // Being made a member ends invitations, so a membership here is newer than this one and stays as it is.
    if (!invitation || current(row, now)) throw invitationNotFound();
    const terms = termsOfInvitation(invitation);
    if (!(await mayStillInvite(write, invitation.created_by, terms))) throw invitationNotFound();
    await assertRoom(write);
    await putMember(write, caller.user_id, row, { ...terms, added_by: invitation.created_by });
    await trx
      .updateTable('team_invitations')
      .set({ accepted_at: now })
      .where('invitation_id', '=', invitation.invitation_id)
      .execute();
    const { invitation_id } = invitation;
    await recordAct(write, {
      action: 'invitation.accepted',
      target_user_id: caller.user_id,
      details: { invitation_id, ...shown(terms) },
    });
    const team = await trx.selectFrom('teams').select('name').where('team_id', '=', team_id).executeTakeFirstOrThrow();
    return { team_id, name: team.name, role: terms.role, expires_at: terms.expires_at };
  });
}

function openInvitation(trx: TeamTrx, code_hash: string, caller: Principal, now: string) {
  return trx
    .selectFrom('team_invitations')
    .selectAll()
    .where('code_hash', '=', code_hash)
    .where('user_id', '=', caller.user_id)
    .where('accepted_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .where((eb) => eb.or([eb('member_expires_at', 'is', null), eb('member_expires_at', '>', now)]))
    .executeTakeFirst();
}

type InvitationRow = NonNullable<Awaited<ReturnType<typeof openInvitation>>>;

function termsOfInvitation(row: InvitationRow): MemberFields {
  const overrides = JSON.parse(row.capabilities) as CapabilityOverrides;
  return { role: row.role as TeamRole, overrides, expires_at: row.member_expires_at };
}

async function mayStillInvite(write: TeamWrite, created_by: string, terms: MemberFields): Promise<boolean> {
  const { trx, team_id, principal, now_ms } = write;
  const teams = await membershipsOf(trx, created_by, toIso(now_ms));
  const change = { team_id, user_id: principal.user_id, before: undefined, after: factsOf(terms) };
  return mayChangeMembership({ ...principal, user_id: created_by, teams }, change).allowed;
}
