// The memberships a user has at this moment: what every call is judged by.
import type { Membership, TeamRole } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import { type CapabilityOverrides, capabilitiesOf } from '../access/index.ts';
import type { TeamTables } from './tables.ts';

/** `now`: ISO time. A membership ends at the very moment it expires. */
export async function membershipsOf(
  db: Pick<Database<TeamTables>['db'], 'selectFrom'>,
  user_id: string,
  now: string,
): Promise<readonly Membership[]> {
  const rows = await db
    .selectFrom('team_members')
    .innerJoin('teams', 'teams.team_id', 'team_members.team_id')
    .select(['team_members.team_id', 'teams.name', 'team_members.role', 'team_members.capabilities'])
    .where('team_members.user_id', '=', user_id)
    .where((eb) => eb.or([eb('team_members.expires_at', 'is', null), eb('team_members.expires_at', '>', now)]))
    .orderBy('team_members.team_id')
    .execute();
  return rows.map((row) => {
    const role = row.role as TeamRole;
    const capabilities = capabilitiesOf(role, JSON.parse(row.capabilities) as CapabilityOverrides);
    return { team_id: row.team_id, team_name: row.name, role, capabilities };
  });
}
