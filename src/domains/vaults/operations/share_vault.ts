// share_vault: let a user or a team use a vault, or stop that.
import { z } from 'zod';
import { nameField, timeField } from '../../../kernel/fields.ts';
import { defineOperation, UPDATES } from '../../../kernel/operation.ts';
import { ACCESS_LEVELS } from '../../access/index.ts';
import type { VaultDeps } from '../deps.ts';
import { revokeShare, shareVault as share } from '../rules/sharing.ts';
import { vaultIdField } from '../schema.ts';

const input = z.strictObject({
  vault_id: vaultIdField,
  share_with: nameField('User, or id of a team you belong to.'),
  share_type: z.enum(['user', 'team']).optional().describe('Default: team for the id of a team, else user.'),
  access_level: z.enum(ACCESS_LEVELS).default('read').describe('admin may also share.'),
  expires_at: timeField('Ends by itself.').optional(),
  revoke: z.boolean().default(false).describe('Take access back.'),
});

/** As teams are named by this program: nobody means a user by it who does not say so. */
const TEAM_ID = /^team_[0-9a-z]{26}$/;

const output = z.object({
  vault_id: z.string().describe('Vault.'),
  share_with: z.string().describe('Whom.'),
  share_type: z.string().describe('user or team.'),
  access_level: z.string().nullable().describe('Level; null: revoked.'),
  expires_at: z.string().nullable().describe('Until.'),
});

export const shareVault = defineOperation<VaultDeps, typeof input, typeof output>({
  name: 'share_vault',
  title: 'Share vault',
  description: 'Gives a user or one of your teams access to a vault you administer, changes it, or takes it back.',
  toolset: 'vaults',
  input,
  output,
  effects: UPDATES,
  permission: 'vault.share',
  audited: true,
  rest: { method: 'POST', path: '/vaults/{vault_id}/share' },
  cli: { group: 'vault', verb: 'share', positional: ['vault_id', 'share_with'] },
  examples: [
    {
      title: 'Reading for a colleague',
      input: { vault_id: 'vault_abc123', share_with: 'bob@example.com', share_type: 'user', access_level: 'read' },
    },
  ],
  async handle(deps, { revoke, ...input }, { principal }) {
    const { vault_id, share_with, share_type = TEAM_ID.test(share_with) ? 'team' : 'user' } = input;
    const fields = { ...input, share_type };
    const facts = { vault_id, share_with, share_type };
    if (revoke) {
      await revokeShare(deps, principal, fields);
      return { ...facts, access_level: null, expires_at: null };
    }
    const { access_level, expires_at } = await share(deps, principal, fields);
    return { ...facts, access_level, expires_at };
  },
  text(out) {
    const until = out.expires_at === null ? '' : ` until ${out.expires_at}`;
    const what = out.access_level === null ? 'has no access any more' : `has ${out.access_level} access${until}`;
    return [{ kind: 'text', text: `${out.share_type} ${out.share_with} ${what} to ${out.vault_id}.` }];
  },
});
