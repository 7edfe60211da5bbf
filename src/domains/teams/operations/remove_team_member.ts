// remove_team_member: somebody leaves, or is taken out.
import { z } from 'zod';
import { DELETES, defineOperation } from '../../../kernel/operation.ts';
import type { TeamDeps } from '../deps.ts';
import { removeFromTeam } from '../members.ts';
import { teamIdField, userIdField } from '../schema.ts';

const input = z.strictObject({ team_id: teamIdField, user_id: userIdField });

const output = z.object({
  team_id: z.string().describe('Team.'),
  user_id: z.string().describe('User.'),
  removed: z.boolean().describe('A membership ended; false: only invitations did.'),
  left: z.boolean().describe('It was your own.'),
  invitations_revoked: z.number().describe('Open invitations that ended.'),
});

export const removeTeamMember = defineOperation<TeamDeps, typeof input, typeof output>({
  name: 'remove_team_member',
  title: 'Remove team member',
  description:
    'Takes a user out of a team at once and ends open invitations; your own user_id leaves the team. Needs members.manage (owner, admin) for others. The last owner cannot leave.',
  toolset: 'teams',
  input,
  output,
  effects: DELETES,
  permission: 'team.write',
  audited: true,
  rest: { method: 'DELETE', path: '/teams/{team_id}/members/{user_id}' },
  cli: { group: 'team', verb: 'remove', positional: ['team_id', 'user_id'] },
  examples: [{ title: 'Take somebody out', input: { team_id: 'team_engineering_001', user_id: 'bob@example.com' } }],
  async handle(deps, member, { principal }) {
    return { ...member, ...(await removeFromTeam(deps, principal, member)) };
  },
  text({ team_id, user_id, removed, left, invitations_revoked }) {
    const open = invitations_revoked > 0 ? ` Invitations ended: ${invitations_revoked}.` : '';
    const what = left ? `You left team ${team_id}.` : `${user_id} is no longer in team ${team_id}.`;
    return [{ kind: 'text', text: `${removed ? what : `${user_id} was not in team ${team_id}.`}${open}` }];
  },
});
