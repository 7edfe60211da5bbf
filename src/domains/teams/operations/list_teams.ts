// list_teams: the teams the caller is in.
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { defineOperation, READS, SOLO } from '../../../kernel/operation.ts';
import type { TeamDeps } from '../deps.ts';
import { stored } from '../render.ts';
import { countMembers } from '../repository.ts';

const input = z.strictObject({});

const output = z.object({
  teams: z
    .array(
      z.object({
        team_id: z.string().describe('Id.'),
        name: z.string().describe('Name.'),
        role: z.string().describe('Your role.'),
        member_count: z.number().nullable().describe('Members now; null where you may not know.'),
        active: z.boolean().describe('This session works in it.'),
      }),
    )
    .describe('By age.'),
  mode_hint: z.string().describe('How to work in one of them.'),
});

export const listTeams = defineOperation<TeamDeps, typeof input, typeof output>({
  name: 'list_teams',
  title: 'Your teams',
  description: 'Lists the teams you are in, with your role in each, the number of members and how to work in one.',
  toolset: 'teams',
  input,
  output,
  effects: READS,
  permission: 'team.read',
  rest: { method: 'GET', path: '/teams' },
  cli: {
    group: 'team',
    verb: 'list',
    table: { rows: 'teams', columns: ['team_id', 'name', 'role', 'member_count', 'active'] },
  },
  examples: [{ title: 'My teams', input: {} }],
  async handle({ store }, _input, { principal, mode = SOLO }) {
    const teams = principal.teams ?? [];
    const known = teams.filter((team) => team.capabilities.has('members.read')).map((team) => team.team_id);
    const counts = await countMembers(store.db, known, toIso(store.clock.now()));
    return {
      teams: teams.map(({ team_id, team_name, role }) => ({
        team_id,
        name: team_name,
        role,
        member_count: counts.get(team_id) ?? null,
        active: mode.mode === 'team' && mode.context_id === team_id,
      })),
      mode_hint: 'set_mode mode=team context_id=<team_id>',
    };
  },
  text(out) {
    if (out.teams.length === 0) return [{ kind: 'text', text: 'You are in no team. create_team makes one.' }];
    const lines = out.teams.map((team) => {
      const members = team.member_count === null ? '' : `, members ${team.member_count}`;
      return `${team.team_id} ${team.name}: ${team.role}${members}${team.active ? ', this session works in it' : ''}`;
    });
    return [{ kind: 'text', text: `Teams: ${out.teams.length}. To work in one: ${out.mode_hint}` }, ...stored(lines)];
  },
});
