// rotate_token_key: a new key signs from now on; the earlier one verifies until its tokens have ended.
import { z } from 'zod';
import { defineOperation, UPDATES } from '../../../kernel/operation.ts';
import type { TokenOperationDeps } from './fields.ts';

const input = z.strictObject({
  revoke_old: z.boolean().default(false).describe('End all tokens there are, at once.'),
});

const output = z.object({
  key_id: z.string().describe('Key that signs now.'),
  verifying_key_ids: z.array(z.string()).describe('Earlier keys that verify on.'),
  revoked_tokens: z.number().describe('Tokens that were ended.'),
});

export const rotateTokenKey = defineOperation<TokenOperationDeps, typeof input, typeof output>({
  name: 'rotate_token_key',
  title: 'Rotate the token key',
  description: 'Makes a new key that signs tokens; earlier tokens hold on unless revoke_old. Administrators only.',
  toolset: 'admin',
  input,
  output,
  effects: { ...UPDATES, idempotent: false },
  permission: 'system.admin',
  audited: true,
  rest: { method: 'POST', path: '/token-keys', status: 201 },
  cli: { group: 'token', verb: 'rotate-key' },
  examples: [{ title: 'With overlap', input: {} }],
  async handle({ keys }, { revoke_old }, { principal }) {
    const { verifying_key_ids, ...rest } = await keys.rotate(principal, revoke_old);
    return { ...rest, verifying_key_ids: [...verifying_key_ids] };
  },
  text: ({ key_id, verifying_key_ids, revoked_tokens }) => [
    {
      kind: 'text',
      text: `Key ${key_id} signs now. Earlier keys that verify on: ${verifying_key_ids.length}. Tokens ended: ${revoked_tokens}.`,
    },
  ],
});
