// The team operations in the order tools are listed.
import { acceptTeamInvitation } from './accept_team_invitation.ts';
import { addTeamMember } from './add_team_member.ts';
import { createTeam } from './create_team.ts';
import { getTeam } from './get_team.ts';
import { getTeamActivity } from './get_team_activity.ts';
import { listTeams } from './list_teams.ts';
import { removeTeamMember } from './remove_team_member.ts';

export const teamOperations = [
  createTeam,
  listTeams,
  getTeam,
  addTeamMember,
  removeTeamMember,
  getTeamActivity,
  acceptTeamInvitation,
] as const;
