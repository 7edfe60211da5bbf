// accept_team_invitation: an invited user joins.
import { z } from 'zod';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { TeamDeps } from '../deps.ts';
import { acceptInvitation } from '../invitations.ts';
import { stored, until } from '../render.ts';

const CODE_LENGTH_MAX_CHARS = 100;

const input = z.strictObject({
  invitation_code: z
    .string()
    .trim()
    .min(1)
    .max(CODE_LENGTH_MAX_CHARS)
    .describe('The code, as add_team_member gave it.'),
});

const output = z.object({
  team_id: z.string().describe('Team.'),
  name: z.string().describe('Its name.'),
  role: z.string().describe('Your role.'),
  expires_at: z.string().nullable().describe('Until when.'),
});

export const acceptTeamInvitation = defineOperation<TeamDeps, typeof input, typeof output>({
  name: 'accept_team_invitation',
  title: 'Accept team invitation',
  description: 'Joins the team you were invited to. A code works once, only for the user it was made for.',
  toolset: 'teams',
  input,
  output,
  effects: WRITES,
  permission: 'team.write',
  audited: true,
  rest: { method: 'POST', path: '/teams/invitations/accept' },
  cli: { group: 'team', verb: 'accept', positional: ['invitation_code'] },
  examples: [{ title: 'Join', input: { invitation_code: 'inv_example' } }],
  handle: (deps, { invitation_code }, { principal }) => acceptInvitation(deps, principal, invitation_code),
  text(out) {
    const how = `Work in it with set_mode mode=team context_id=${out.team_id}.`;
    const text = `You are ${out.role} of team ${out.team_id}${until(out.expires_at)}. ${how}`;
    return [{ kind: 'text', text }, ...stored([out.name])];
  },
});
