// list_tokens: which tokens there are, without the tokens.
import { z } from 'zod';
import { cursorField, idField, limitField, nextCursorField } from '../../../kernel/fields.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { recordFields, shownRecord, type TokenOperationDeps } from './fields.ts';

const input = z.strictObject({
  user: idField('Only those of this user.').optional(),
  all: z.boolean().default(false).describe('Ended and revoked ones too.'),
  limit: limitField(),
  cursor: cursorField,
});

const output = z.object({
  tokens: z.array(z.object(recordFields)).describe('Newest first.'),
  next_cursor: nextCursorField,
});

export const listTokens = defineOperation<TokenOperationDeps, typeof input, typeof output>({
  name: 'list_tokens',
  title: 'List tokens',
  description: 'Lists tokens of the hub that hold now, never the tokens themselves. Administrators only.',
  toolset: 'admin',
  input,
  output,
  effects: READS,
  permission: 'system.admin',
  rest: { method: 'GET', path: '/tokens' },
  cli: {
    group: 'token',
    verb: 'list',
    table: { rows: 'tokens', columns: ['jti', 'user', 'scope', 'admin', 'expires_at', 'revoked_at', 'label'] },
  },
  examples: [{ title: 'Of one user', input: { user: 'bob@example.com', all: true } }],
  async handle({ tokens }, { user, ...rest }) {
    const page = await tokens.list({ ...rest, user_id: user });
    return { tokens: page.tokens.map(shownRecord), next_cursor: page.next_cursor };
  },
  text: ({ tokens }) => [
    { kind: 'text', text: tokens.length === 0 ? 'No tokens.' : `${tokens.length} tokens:` },
    ...tokens.map((one) => ({
      kind: 'stored' as const,
      text: `${one.jti} ${one.user} until ${one.expires_at}${one.revoked_at ? ' (revoked)' : ''} ${one.label ?? ''}`,
    })),
  ],
});
