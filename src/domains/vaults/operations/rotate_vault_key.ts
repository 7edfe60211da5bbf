// rotate_vault_key: a new data key for one vault.
import { z } from 'zod';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { VaultDeps } from '../deps.ts';
import { rotateVaultKey as rotate } from '../rules/create.ts';
import { vaultIdField } from '../schema.ts';

const input = z.strictObject({ vault_id: vaultIdField });

const output = z.object({
  vault_id: z.string().describe('Vault.'),
  epoch: z.number().describe('Number of the new key.'),
});

export const rotateVaultKey = defineOperation<VaultDeps, typeof input, typeof output>({
  name: 'rotate_vault_key',
  title: 'Rotate vault key',
  description: 'Gives a vault a new encryption key for what is stored from now on. Older versions stay readable.',
  toolset: 'vaults',
  input,
  output,
  effects: WRITES,
  permission: 'vault.share',
  audited: true,
  rest: { method: 'POST', path: '/vaults/{vault_id}/rotate-key' },
  cli: { group: 'vault', verb: 'rotate-key', positional: ['vault_id'] },
  examples: [{ title: 'After somebody left', input: { vault_id: 'vault_abc123' } }],
  async handle(deps, { vault_id }, { principal }) {
    const { epoch } = await rotate(deps, principal, vault_id);
    return { vault_id, epoch };
  },
  text: (out) => [{ kind: 'text', text: `${out.vault_id} seals with key ${out.epoch} from now on.` }],
});
