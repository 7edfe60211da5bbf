// revoke_token: ends a token at once.
import { z } from 'zod';
import { DELETES, defineOperation } from '../../../kernel/operation.ts';
import { jtiField, recordFields, shownRecord, type TokenOperationDeps } from './fields.ts';

const input = z.strictObject({ jti: jtiField });
const output = z.object(recordFields);

export const revokeToken = defineOperation<TokenOperationDeps, typeof input, typeof output>({
  name: 'revoke_token',
  title: 'Revoke a token',
  description: 'Ends a token at once, on every hub of the store. Administrators only.',
  toolset: 'admin',
  input,
  output,
  effects: DELETES,
  permission: 'system.admin',
  audited: true,
  rest: { method: 'DELETE', path: '/tokens/{jti}' },
  cli: { group: 'token', verb: 'revoke', positional: ['jti'] },
  examples: [{ title: 'One', input: { jti: 'tok_01j8x3m5k7n9p1r3t5v7x9z1b3' } }],
  handle: async ({ tokens }, { jti }, { principal }) => shownRecord(await tokens.revoke(principal, jti)),
  text: ({ jti, user }) => [{ kind: 'text', text: `Token ${jti} of ${user} is revoked.` }],
});
