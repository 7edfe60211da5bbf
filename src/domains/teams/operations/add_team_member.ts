// add_team_member: somebody joins, is invited, or gets other terms.
import { z } from 'zod';
import { timeField } from '../../../kernel/fields.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { TeamDeps } from '../deps.ts';
import { invite } from '../invitations.ts';
import { putOnTeam } from '../members.ts';
import { until } from '../render.ts';
import { capabilitiesField, overridesSchema, roleField, teamIdField, userIdField } from '../schema.ts';

const input = z.strictObject({
  team_id: teamIdField,
  user_id: userIdField,
  role: roleField.default('member').describe('guest needs expires_at; only owners make owners.'),
  expires_at: timeField('End of the membership; null: none.').nullable().optional(),
  capabilities: capabilitiesField.optional(),
  invite: z.boolean().default(false).describe('Make a code for this user to accept instead.'),
});

const output = z.object({
  team_id: z.string().describe('Team.'),
  user_id: z.string().describe('User.'),
  role: z.string().describe('Role.'),
  expires_at: z.string().nullable().describe('Until when.'),
  capabilities: overridesSchema,
  changed: z.boolean().describe('False: it was so already.'),
  invitation_code: z.string().optional().describe('Shown this once: for accept_team_invitation.'),
  invitation_expires_at: z.string().optional().describe('When the code ends.'),
});

export const addTeamMember = defineOperation<TeamDeps, typeof input, typeof output>({
  name: 'add_team_member',
  title: 'Add team member',
  description:
    'Adds a user to a team, or changes role, expiry or capabilities of a member. invite=true returns a code instead, which this user accepts once within 7 days. Needs members.manage (owner, admin).',
  toolset: 'teams',
  input,
  output,
  effects: { ...WRITES, destructive: true },
  permission: 'team.write',
  audited: true,
  rest: { method: 'POST', path: '/teams/{team_id}/members' },
  cli: { group: 'team', verb: 'add', positional: ['team_id', 'user_id', 'role'] },
  examples: [
    {
      title: 'An admin',
      input: { team_id: 'team_engineering_001', user_id: 'alice@example.com', role: 'admin' },
    },
    {
      title: 'A member who may not write memories',
      input: {
        team_id: 'team_engineering_001',
        user_id: 'bob@example.com',
        role: 'member',
        capabilities: { 'memory.write': false },
      },
    },
  ],
  async handle(deps, { team_id, user_id, invite: invited, ...asked }, { principal }) {
    const member = { team_id, user_id };
    const { overrides, ...rest } = invited
      ? { ...(await invite(deps, principal, member, asked)), changed: true }
      : await putOnTeam(deps, principal, member, asked);
    return { ...member, ...rest, capabilities: overrides };
  },
  text(out) {
    const what = `${out.role} of team ${out.team_id}${until(out.expires_at)}`;
    if (out.invitation_code !== undefined) {
      const how = `The code works once, until ${out.invitation_expires_at}, and is not shown again: ${out.invitation_code}`;
      return [{ kind: 'text', text: `Invited ${out.user_id} as ${what}. ${how}` }];
    }
    return [{ kind: 'text', text: `${out.user_id} is ${out.changed ? 'now' : 'already'} ${what}.` }];
  },
});
