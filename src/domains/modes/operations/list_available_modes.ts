// list_available_modes: where this session could work.
import { z } from 'zod';
import { defineOperation, OPERATING_MODES, READS, SOLO } from '../../../kernel/operation.ts';
import type { ModeDeps } from '../deps.ts';
import { MEANING } from '../describe.ts';
import { modeName } from '../modes.ts';

const input = z.strictObject({});

const output = z.object({
  current: z.string().describe('Mode of this session, with its context.'),
  modes: z
    .array(z.object({ mode: z.string().describe('Name.'), meaning: z.string().describe('What it means.') }))
    .describe('All modes.'),
  teams: z
    .array(
      z.object({
        team_id: z.string().describe('Id.'),
        name: z.string().describe('Name.'),
        role: z.string().describe('Your role.'),
      }),
    )
    .describe('Teams you are in.'),
  vaults: z
    .array(
      z.object({
        vault_id: z.string().describe('Id.'),
        name: z.string().describe('Name.'),
        level: z.string().describe('read, write or admin.'),
      }),
    )
    .describe('Vaults you may use.'),
});

export const listAvailableModes = defineOperation<ModeDeps, typeof input, typeof output>({
  name: 'list_available_modes',
  title: 'Available modes',
  description: 'Lists the modes, and the teams and vaults this session may work in.',
  toolset: 'modes',
  input,
  output,
  effects: READS,
  permission: 'mode.read',
  rest: { method: 'GET', path: '/modes' },
  cli: { group: 'mode', verb: 'list' },
  examples: [{ title: 'Where could I work', input: {} }],
  async handle({ listVaults }, _input, { principal, mode = SOLO }) {
    const vaults = await listVaults(principal);
    return {
      current: modeName(mode),
      modes: OPERATING_MODES.map((name) => ({ mode: name, meaning: MEANING[name] })),
      teams: (principal.teams ?? []).map(({ team_id, team_name, role }) => ({ team_id, name: team_name, role })),
      vaults: vaults.map(({ vault_id, name, level }) => ({ vault_id, name, level })),
    };
  },
  text(out) {
    const modes = out.modes.map(({ mode, meaning }) => `${mode}: ${meaning}`);
    const lines = [
      ...out.teams.map(({ team_id, name, role }) => `team ${team_id} ${name} (${role})`),
      ...out.vaults.map(({ vault_id, name, level }) => `vault ${vault_id} ${name} (${level})`),
    ];
    const head = { kind: 'text' as const, text: `Now: ${out.current}\n${modes.join('\n')}` };
    return lines.length === 0 ? [head] : [head, { kind: 'stored' as const, text: lines.join('\n') }];
  },
});
