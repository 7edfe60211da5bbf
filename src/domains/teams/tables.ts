// Columns of the team tables.
import type { VersionedColumns } from '../../storage/tables.ts';

export interface TeamTable extends VersionedColumns {
  team_id: string;
  name: string;
  description: string;
  created_at: string;
  created_by: string;
}

export interface TeamMemberTable extends VersionedColumns {
  /** Names the membership in the change record, which must not hold names of people. */
  member_id: string;
  team_id: string;
  user_id: string;
  role: string;
  /** JSON: capability -> given or taken. */
  capabilities: string;
  added_at: string;
  added_by: string;
  /** Null: until removed. */
  expires_at: string | null;
}

export interface TeamInvitationTable {
  invitation_id: string;
  team_id: string;
  user_id: string;
  role: string;
  capabilities: string;
  member_expires_at: string | null;
  /** SHA-256 of the code, which is shown once. */
  code_hash: string;
  created_at: string;
  created_by: string;
  expires_at: string;
  accepted_at: string | null;
  revoked_at: string | null;
}

export interface TeamActivityTable {
  /** Sorts by time. */
  activity_id: string;
  team_id: string;
  at: string;
  action: string;
  user_id: string;
  agent_id: string;
  machine_id: string;
  target_user_id: string | null;
  /** JSON object. */
  details: string;
}

export interface TeamTables {
  teams: TeamTable;
  team_members: TeamMemberTable;
  team_invitations: TeamInvitationTable;
  team_activity: TeamActivityTable;
}
