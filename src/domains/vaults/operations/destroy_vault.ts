// destroy_vault: keys and sealed values are gone, for ever.
import { z } from 'zod';
import { failure } from '../../../kernel/errors.ts';
import { DELETES, defineOperation } from '../../../kernel/operation.ts';
import { usableVault } from '../access.ts';
import type { VaultDeps } from '../deps.ts';
import { destroyVault as destroy } from '../rules/create.ts';
import { reasonField, vaultIdField } from '../schema.ts';

const input = z.strictObject({
  vault_id: vaultIdField,
  confirm: z.boolean().default(false).describe('Has to be true.'),
  reason: reasonField,
});

const output = z.object({
  vault_id: z.string().describe('Vault.'),
  destroyed_at: z.string().describe('When.'),
  keys: z.number().describe('Keys destroyed.'),
  values: z.number().describe('Sealed values destroyed.'),
});

export const destroyVault = defineOperation<VaultDeps, typeof input, typeof output>({
  name: 'destroy_vault',
  title: 'Destroy vault',
  description:
    'Destroys a vault you administer with its keys and all its secrets, at once and for ever. Needs confirm=true.',
  toolset: 'vaults',
  input,
  output,
  effects: DELETES,
  permission: 'vault.share',
  audited: true,
  rest: { method: 'DELETE', path: '/vaults/{vault_id}' },
  cli: { group: 'vault', verb: 'destroy', positional: ['vault_id'] },
  examples: [{ title: 'The project has ended', input: { vault_id: 'vault_abc123', confirm: true } }],
  async handle(deps, { vault_id, confirm, reason }, { principal }) {
    if (confirm) return { vault_id, ...(await destroy(deps, principal, vault_id, reason)) };
    await usableVault(deps, principal, vault_id, 'admin');
    throw failure(
      'confirmation_required',
      `Destroying ${vault_id} cannot be undone.`,
      'Send confirm=true if all its secrets shall be gone for ever.',
    );
  },
  text: (out) => [{ kind: 'text', text: `${out.vault_id} is destroyed, with ${out.values} sealed values.` }],
});
