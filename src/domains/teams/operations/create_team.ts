// create_team: a new team, owned by whoever makes it.
import { z } from 'zod';
import { nameField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import { createTeam as create } from '../create.ts';
import type { TeamDeps } from '../deps.ts';
import { stored } from '../render.ts';

const input = z.strictObject({
  name: nameField('Name; need not be unique.'),
  description: z.string().trim().max(limits.context_length_max_chars).default('').describe('What it is for.'),
});

const output = z.object({
  team_id: z.string().describe('Id of the team.'),
  name: z.string().describe('Its name.'),
  role: z.string().describe('Your role: owner.'),
  created_at: z.string().describe('When.'),
});

export const createTeam = defineOperation<TeamDeps, typeof input, typeof output>({
  name: 'create_team',
  title: 'Create team',
  description: 'Creates a team to share memories and vaults in. You become its owner; add others with add_team_member.',
  toolset: 'teams',
  input,
  output,
  effects: WRITES,
  permission: 'team.write',
  audited: true,
  rest: { method: 'POST', path: '/teams', status: 201 },
  cli: { group: 'team', verb: 'create', positional: ['name'] },
  examples: [
    {
      title: 'A team for a project',
      input: { name: 'Payment Integration', description: 'Team handling payment system integration' },
    },
  ],
  async handle(deps, { name, description }, { principal }) {
    const made = await create(deps, principal, { name, description });
    return { ...made, name, role: 'owner' };
  },
  text(out) {
    const how = `Work in it with set_mode mode=team context_id=${out.team_id}.`;
    return [{ kind: 'text', text: `Created team ${out.team_id}; you own it. ${how}` }, ...stored([out.name])];
  },
});
