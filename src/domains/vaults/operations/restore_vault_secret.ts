// restore_vault_secret: a deleted secret comes back with all its versions.
import { z } from 'zod';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { VaultDeps } from '../deps.ts';
import { restoreSecret } from '../rules/deleting.ts';
import { keyField, vaultIdField } from '../schema.ts';

const input = z.strictObject({ vault_id: vaultIdField, key: keyField });

const output = z.object({
  vault_id: z.string().describe('Vault.'),
  key: z.string().describe('Name.'),
  version: z.number().describe('Newest version.'),
});

export const restoreVaultSecret = defineOperation<VaultDeps, typeof input, typeof output>({
  name: 'restore_vault_secret',
  title: 'Restore secret',
  description: 'Brings a deleted secret back with all its versions, while delete_vault_secret said it can be.',
  toolset: 'vaults',
  input,
  output,
  effects: WRITES,
  permission: 'vault.write',
  audited: true,
  rest: { method: 'POST', path: '/vaults/{vault_id}/secrets/{key}/restore' },
  cli: { group: 'vault', verb: 'restore', positional: ['vault_id', 'key'] },
  examples: [{ title: 'Deleted by mistake', input: { vault_id: 'vault_abc123', key: 'old_api_key' } }],
  async handle(deps, named, { principal }) {
    const { version } = await restoreSecret(deps, principal, named);
    return { ...named, version };
  },
  text: (out) => [{ kind: 'text', text: `${out.key} is back, at version ${out.version}.` }],
});
