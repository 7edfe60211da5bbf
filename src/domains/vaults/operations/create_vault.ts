// create_vault: a place for secrets, with a data key of its own.
import { z } from 'zod';
import { idField, nameField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { VaultDeps } from '../deps.ts';
import { createVault as create } from '../rules/create.ts';
import { VAULT_TYPES } from '../schema.ts';

const input = z.strictObject({
  name: nameField('Name.'),
  vault_type: z.enum(VAULT_TYPES).default('personal').describe('Kind.'),
  team_id: idField('Team whose roles decide; for team and project.').optional(),
  project_id: nameField('Project; for project.').optional(),
  description: z.string().max(limits.context_length_max_chars).optional().describe('What for; not secret.'),
});

const output = z.object({
  vault_id: z.string().describe('Id.'),
  name: z.string().describe('Name.'),
  vault_type: z.string().describe('Kind.'),
  team_id: z.string().nullable().describe('Team.'),
  created_at: z.string().describe('When.'),
});

export const createVault = defineOperation<VaultDeps, typeof input, typeof output>({
  name: 'create_vault',
  title: 'Create vault',
  description:
    'Creates an encrypted vault for secrets: your own (personal, shared, project), or a team’s, whose owners and admins may create one.',
  toolset: 'vaults',
  input,
  output,
  effects: WRITES,
  permission: 'vault.write',
  audited: true,
  rest: { method: 'POST', path: '/vaults', status: 201 },
  cli: { group: 'vault', verb: 'create', positional: ['name'] },
  examples: [{ title: 'A vault of your own', input: { name: 'Personal Secrets', vault_type: 'personal' } }],
  async handle(deps, fields, { principal }) {
    const { vault_id, name, vault_type, team_id, created_at } = await create(deps, principal, fields);
    return { vault_id, name, vault_type, team_id, created_at };
  },
  text: (out) => [{ kind: 'text', text: `Vault ${out.vault_id} (${out.vault_type}) is ready.` }],
});
