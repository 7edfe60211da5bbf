// delete_vault_secret: away, for a time recoverable.
import { z } from 'zod';
import { DELETES, defineOperation } from '../../../kernel/operation.ts';
import type { VaultDeps } from '../deps.ts';
import { deleteSecret } from '../rules/deleting.ts';
import { keyField, reasonField, vaultIdField } from '../schema.ts';

const input = z.strictObject({ vault_id: vaultIdField, key: keyField, reason: reasonField });

const output = z.object({
  vault_id: z.string().describe('Vault.'),
  key: z.string().describe('Name.'),
  recoverable_until: z.string().nullable().describe('Until then restore_vault_secret brings it back; null: destroyed.'),
});

export const deleteVaultSecret = defineOperation<VaultDeps, typeof input, typeof output>({
  name: 'delete_vault_secret',
  title: 'Delete secret',
  description: 'Deletes a secret with all versions. It can be restored for a stated time and is destroyed afterwards.',
  toolset: 'vaults',
  input,
  output,
  effects: DELETES,
  permission: 'vault.write',
  audited: true,
  rest: { method: 'DELETE', path: '/vaults/{vault_id}/secrets/{key}' },
  cli: { group: 'vault', verb: 'delete', positional: ['vault_id', 'key'] },
  examples: [{ title: 'No longer used', input: { vault_id: 'vault_abc123', key: 'old_api_key' } }],
  async handle(deps, { reason, ...named }, { principal }) {
    return { ...named, recoverable_until: await deleteSecret(deps, principal, named, reason) };
  },
  text: (out) => [
    {
      kind: 'text',
      text:
        out.recoverable_until === null
          ? `${out.key} is destroyed.`
          : `${out.key} is deleted; restore_vault_secret brings it back until ${out.recoverable_until}.`,
    },
  ],
});
