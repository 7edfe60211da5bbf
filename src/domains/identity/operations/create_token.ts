// create_token: a token for a user, shown once.
import { z } from 'zod';
import { idField, nameField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import { parseScopes } from '../scopes.ts';
import { recordFields, shownRecord, type TokenOperationDeps } from './fields.ts';

const scopeText = z.string().max(limits.name_length_max_chars);

const input = z.strictObject({
  user: idField('Whom it stands for.'),
  agent: idField('Tie it to this agent.').optional(),
  machine: idField('Tie it to this machine.').optional(),
  scope: z
    .union([z.array(scopeText).max(limits.tags_max_count), scopeText])
    .default([])
    .describe('Permissions it is limited to: memory.read, vault (all of a group).'),
  admin: z.boolean().default(false).describe('May administer the hub.'),
  days: z
    .number()
    .int()
    .min(1)
    .max(limits.token_life_max_days)
    .default(limits.token_life_default_days)
    .describe('Life.'),
  label: nameField('Note for the list.').optional(),
  audience: z
    .url()
    .max(limits.name_length_max_chars)
    .optional()
    .describe('Public address of another hub of the store.'),
});

const { revoked_at: _, ...created } = recordFields;
const output = z.object({ token: z.string().describe('Shown this once.'), ...created });

export const createToken = defineOperation<TokenOperationDeps, typeof input, typeof output>({
  name: 'create_token',
  title: 'Create a token',
  description: 'Makes a bearer token for a user, agent or machine. Administrators only. The token is shown this once.',
  toolset: 'admin',
  input,
  output,
  effects: WRITES,
  permission: 'system.admin',
  audited: true,
  rest: { method: 'POST', path: '/tokens', status: 201 },
  cli: { group: 'token', verb: 'create', alone: 'token' },
  examples: [{ title: 'For a colleague', input: { user: 'bob@example.com', scope: ['memory', 'team.read'] } }],
  async handle({ tokens }, { user, agent, machine, scope, ...rest }, { principal }) {
    const scopes = parseScopes([scope].flat());
    const { token, record } = await tokens.create(principal, {
      ...rest,
      user_id: user,
      agent_id: agent,
      machine_id: machine,
      scopes,
    });
    const { revoked_at, ...fresh } = shownRecord(record);
    return { token, ...fresh };
  },
  text: ({ token, jti, user, expires_at }) => [
    { kind: 'text', text: `Token ${jti} for ${user}, until ${expires_at}. It is not shown again:` },
    { kind: 'text', text: token },
  ],
});
