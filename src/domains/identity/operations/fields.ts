// What operations on tokens have in common: their dependencies and how a token is shown, which is never the token itself.
import { z } from 'zod';
import type { SigningKeys } from '../signing-keys.ts';
import type { TokenRecord, Tokens } from '../tokens.ts';

export interface TokenOperationDeps {
  readonly tokens: Tokens;
  readonly keys: SigningKeys;
}

export const jtiField = z
  .string()
  .regex(/^tok_[0-9a-hjkmnp-tv-z]{26}$/, 'is no id of a token: tok_ and 26 letters and digits')
  .describe('Id of the token.');

export const recordFields = {
  jti: z.string().describe('Id.'),
  user: z.string().describe('Who it stands for.'),
  agent: z.string().nullable().describe('Agent it is tied to.'),
  machine: z.string().nullable().describe('Machine it is tied to.'),
  scope: z.array(z.string()).nullable().describe('Permissions it is limited to.'),
  admin: z.boolean().describe('Administers the hub.'),
  label: z.string().nullable().describe('Note.'),
  created_at: z.string().describe('When.'),
  created_by: z.string().describe('By whom.'),
  expires_at: z.string().describe('End.'),
  revoked_at: z.string().nullable().describe('When it was revoked.'),
};

export function shownRecord(record: TokenRecord): z.input<z.ZodObject<typeof recordFields>> {
  const { user_id, agent_id, machine_id, scopes, ...rest } = record;
  return { ...rest, user: user_id, agent: agent_id, machine: machine_id, scope: scopes ? [...scopes] : null };
}
