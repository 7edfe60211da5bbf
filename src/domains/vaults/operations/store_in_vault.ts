// store_in_vault: keep a secret, or a new version of it.
import { z } from 'zod';
import { metadataField, timeField } from '../../../kernel/fields.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { VaultDeps } from '../deps.ts';
import { storeSecret } from '../rules/secrets.ts';
import { keyField, valueField, vaultIdField } from '../schema.ts';

const input = z.strictObject({
  vault_id: vaultIdField,
  key: keyField,
  value: valueField,
  metadata: metadataField('Facts kept sealed with it.').optional(),
  expires_at: timeField('From then on it is not given out.').optional(),
  rotation_interval_days: z
    .number()
    .int()
    .min(0)
    .max(3650)
    .optional()
    .describe('Remind of a new value; 0 never. Default as before.'),
});

const output = z.object({
  vault_id: z.string().describe('Vault.'),
  key: z.string().describe('Name.'),
  version: z.number().describe('Its number.'),
  stored_at: z.string().describe('When.'),
  expires_at: z.string().nullable().describe('Until.'),
});

export const storeInVault = defineOperation<VaultDeps, typeof input, typeof output>({
  name: 'store_in_vault',
  title: 'Store secret',
  description:
    'Encrypts a secret into a vault. A new value of the same key makes a new version; older ones stay readable by number.',
  toolset: 'vaults',
  input,
  output,
  effects: WRITES,
  permission: 'vault.write',
  audited: true,
  rest: { method: 'POST', path: '/vaults/{vault_id}/secrets', status: 201 },
  cli: { group: 'vault', verb: 'store', positional: ['vault_id', 'key'], secret: 'value' },
  examples: [
    {
      title: 'A password with facts about it',
      input: {
        vault_id: 'vault_abc123',
        key: 'db_password',
        value: 'the password itself',
        metadata: { database: 'postgresql', host: 'db.example.com' },
      },
    },
  ],
  async handle(deps, fields, { principal }) {
    const row = await storeSecret(deps, principal, fields);
    const { vault_id, secret_key, version, updated_at, expires_at } = row;
    return { vault_id, key: secret_key, version, stored_at: updated_at, expires_at };
  },
  text: (out) => [{ kind: 'text', text: `${out.key} is stored in ${out.vault_id} as version ${out.version}.` }],
});
