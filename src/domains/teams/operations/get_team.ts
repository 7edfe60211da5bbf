// get_team: one team, with its members and what happened there lately.
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import type { TeamDeps } from '../deps.ts';
import { getTeam as get } from '../details.ts';
import { activityLine, stored, until } from '../render.ts';
import { activitySchema, overridesSchema, teamIdField } from '../schema.ts';

const ACTIVITY_COUNT = 10;

const input = z.strictObject({
  team_id: teamIdField,
  include_members: z.boolean().default(false).describe('Also who is in it.'),
  include_activity: z.boolean().default(false).describe(`Also the last ${ACTIVITY_COUNT} things that happened.`),
});

const membership = {
  user_id: z.string().describe('User.'),
  role: z.string().describe('Role.'),
  expires_at: z.string().nullable().describe('Until when.'),
};

const output = z.object({
  team_id: z.string().describe('Id.'),
  name: z.string().describe('Name.'),
  description: z.string().describe('What it is for.'),
  created_at: z.string().describe('When it was made.'),
  role: z.string().describe('Your role.'),
  capabilities: z.array(z.string()).describe('What you may do there.'),
  member_count: z.number().nullable().describe('Members now; null where you may not know.'),
  members: z
    .array(
      z.object({
        ...membership,
        capabilities: overridesSchema,
        added_at: z.string().describe('Since when.'),
        added_by: z.string().describe('By whom.'),
      }),
    )
    .optional()
    .describe('Longest first.'),
  invitations: z
    .array(z.object({ ...membership, expires_at: z.string().describe('When the code ends.') }))
    .optional()
    .describe('Open ones, for who may manage members.'),
  activity: activitySchema.optional(),
});

export const getTeam = defineOperation<TeamDeps, typeof input, typeof output>({
  name: 'get_team',
  title: 'Team details',
  description: 'Describes a team you are in: your role, what you may do, and on request members and recent activity.',
  toolset: 'teams',
  input,
  output,
  effects: READS,
  permission: 'team.read',
  rest: { method: 'GET', path: '/teams/{team_id}' },
  cli: { group: 'team', verb: 'get', positional: ['team_id'] },
  examples: [{ title: 'With members', input: { team_id: 'team_engineering_001', include_members: true } }],
  async handle(deps, { team_id, include_members, include_activity }, { principal }) {
    const now_ms = deps.store.clock.now();
    return get(deps, principal, team_id, {
      now: toIso(now_ms),
      members: include_members,
      activity: include_activity
        ? { since_ms: now_ms - limits.team_activity_retention_ms, limit: ACTIVITY_COUNT }
        : undefined,
    });
  },
  text(out) {
    const head = `Team ${out.team_id}: you are ${out.role} and may ${out.capabilities.join(', ') || 'nothing'}.`;
    const members = (out.members ?? []).map(
      (member) => `${member.user_id}: ${member.role}${until(member.expires_at)}, added ${member.added_at}`,
    );
    const invited = (out.invitations ?? []).map((open) => `${open.user_id}: invited as ${open.role}`);
    const lines = [out.name, out.description, ...members, ...invited, ...(out.activity ?? []).map(activityLine)];
    return [{ kind: 'text', text: head }, ...stored(lines.filter((line) => line !== ''))];
  },
});
