// retrieve_from_vault: the value of a secret, for a stated reason.
import { z } from 'zod';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { VaultDeps } from '../deps.ts';
import { retrieveSecret } from '../rules/secrets.ts';
import { auditReasonField, keyField, vaultIdField } from '../schema.ts';

const HANDLING = 'Secret: use it, and store or repeat it nowhere else.';

const input = z.strictObject({
  vault_id: vaultIdField,
  key: keyField,
  audit_reason: auditReasonField,
  version: z.number().int().min(1).optional().describe('Default: the newest.'),
});

const output = z.object({
  vault_id: z.string().describe('Vault.'),
  key: z.string().describe('Name.'),
  version: z.number().describe('Version.'),
  value: z.string().describe('The secret. Do not store or repeat it.'),
  metadata: z.record(z.string(), z.json()).describe('Facts about it.'),
  stored_at: z.string().describe('When this version was stored.'),
  expires_at: z.string().nullable().describe('Until.'),
  handling: z.string().describe('How to treat it.'),
});

export const retrieveFromVault = defineOperation<VaultDeps, typeof input, typeof output>({
  name: 'retrieve_from_vault',
  title: 'Retrieve secret',
  description:
    'Gives the value of a secret and writes who asked and why into the audit log first. audit_reason is required.',
  toolset: 'vaults',
  input,
  output,
  // Each call leaves a row in the audit log, and no cache may keep the answer.
  effects: WRITES,
  permission: 'vault.read',
  audited: true,
  rest: { method: 'POST', path: '/vaults/{vault_id}/secrets/{key}/retrieve' },
  cli: { group: 'vault', verb: 'get', positional: ['vault_id', 'key'], alone: 'value' },
  examples: [
    {
      title: 'For a deployment',
      input: { vault_id: 'vault_abc123', key: 'db_password', audit_reason: 'Deploying payment integration' },
    },
  ],
  async handle(deps, fields, { principal }) {
    const { value, version, metadata, created_at, expires_at } = await retrieveSecret(deps, principal, fields);
    const { vault_id, key } = fields;
    const facts = metadata as z.output<typeof output>['metadata'];
    return { vault_id, key, version, value, metadata: facts, stored_at: created_at, expires_at, handling: HANDLING };
  },
  text: (out) => [
    { kind: 'text', text: `${out.key}, version ${out.version}. ${out.handling}` },
    { kind: 'stored', text: out.value },
  ],
});
