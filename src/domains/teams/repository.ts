// Rows of teams and members. Expired memberships count as absent everywhere but where one is renewed.
import type { ExpressionBuilder, Selectable } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import type { Principal, TeamRole } from '../../kernel/operation.ts';
import type { VersionVector } from '../../storage/changes.ts';
import type { Database } from '../../storage/database.ts';
import { type CapabilityOverrides, capabilitiesOf, type MembershipFacts } from '../access/index.ts';
import type { TeamDeps, TeamTrx, TeamWrite } from './deps.ts';
import { teamNotFound } from './errors.ts';
import { membershipsOf } from './memberships.ts';
import type { TeamMemberTable, TeamTables } from './tables.ts';

export type MemberRow = Selectable<TeamMemberTable>;

/** What can be said about a membership. */
export interface MemberFields {
  readonly role: TeamRole;
  readonly overrides: CapabilityOverrides;
  readonly expires_at: string | null;
}

type Reader = Pick<Database<TeamTables>['db'], 'selectFrom'>;

/**
 * Holds the team's row, so that changes of one team happen one after the other on whatever hub, and finds out anew which
 * teams the principal is in. Throws `not_found` where there is no such team.
 */
export async function beginTeamWrite(
  deps: TeamDeps,
  trx: TeamTrx,
  caller: Principal,
  team_id: string,
): Promise<TeamWrite> {
  const held = trx.selectFrom('teams').select('team_id').where('team_id', '=', team_id);
  if (!(await deps.store.dialect.forChange(held).executeTakeFirst())) throw teamNotFound(team_id);
  // After the row is held: whoever waited for it sees what the one before did, and no time has passed since.
  const now_ms = deps.store.clock.now();
  const teams = await membershipsOf(trx, caller.user_id, toIso(now_ms));
  return { deps, trx, principal: { ...caller, teams }, team_id, now_ms };
}

/** The user's row, also where the membership has expired. */
export function findMember(db: Reader, team_id: string, user_id: string): Promise<MemberRow | undefined> {
  return db
    .selectFrom('team_members')
    .selectAll()
    .where('team_id', '=', team_id)
    .where('user_id', '=', user_id)
    .executeTakeFirst();
}

/** Undefined where the membership is over at this ISO time. */
export function current(row: MemberRow | undefined, now: string): (MemberRow & MemberFields) | undefined {
  if (!row || (row.expires_at !== null && row.expires_at <= now)) return undefined;
  const overrides = JSON.parse(row.capabilities) as CapabilityOverrides;
  return { ...row, role: row.role as TeamRole, overrides };
}

export function factsOf(member: MemberFields): MembershipFacts {
  return { role: member.role, capabilities: capabilitiesOf(member.role, member.overrides) };
}

const holds = (now: string) => (eb: ExpressionBuilder<TeamTables, 'team_members'>) =>
  eb.or([eb('team_members.expires_at', 'is', null), eb('team_members.expires_at', '>', now)]);

export function listMembers(db: Reader, team_id: string, now: string): Promise<MemberRow[]> {
  return db
    .selectFrom('team_members')
    .selectAll()
    .where('team_id', '=', team_id)
    .where(holds(now))
    .orderBy('added_at')
    .orderBy('user_id')
    .execute();
}

/** Members by team, of those teams. */
export async function countMembers(
  db: Reader,
  team_ids: readonly string[],
  now: string,
  role?: TeamRole,
): Promise<ReadonlyMap<string, number>> {
  if (team_ids.length === 0) return new Map();
  let query = db
    .selectFrom('team_members')
    .select((eb) => ['team_id', eb.fn.countAll<number>().as('members')])
    .where('team_id', 'in', team_ids)
    .where(holds(now));
  if (role !== undefined) query = query.where('role', '=', role);
  const rows = await query.groupBy('team_id').execute();
  return new Map(rows.map((row) => [row.team_id, Number(row.members)]));
}

/** Puts a membership in the place of the user's row, expired or not, or adds one. */
export async function putMember(
  { deps, trx, team_id, now_ms }: TeamWrite,
  user_id: string,
  row: MemberRow | undefined,
  member: MemberFields & { readonly added_by: string; readonly added_at?: string },
): Promise<string> {
  const member_id = row?.member_id ?? newId('tmb', now_ms);
  const before = row ? (JSON.parse(row.version_vector) as VersionVector) : {};
  const version = await deps.store.recordChange(trx, {
    entity: 'team_member',
    entity_id: member_id,
    kind: 'put',
    before,
  });
  const { role, overrides, expires_at, added_by, added_at = toIso(now_ms) } = member;
  const values = { role, capabilities: JSON.stringify(overrides), expires_at, added_by, added_at, ...version };
  if (row) await trx.updateTable('team_members').set(values).where('member_id', '=', member_id).execute();
  else
    await trx
      .insertInto('team_members')
      .values({ member_id, team_id, user_id, ...values })
      .execute();
  return member_id;
}

export async function deleteMember({ deps, trx }: TeamWrite, row: MemberRow): Promise<void> {
  const before = JSON.parse(row.version_vector) as VersionVector;
  await deps.store.recordChange(trx, { entity: 'team_member', entity_id: row.member_id, kind: 'delete', before });
  await trx.deleteFrom('team_members').where('member_id', '=', row.member_id).execute();
}
