// list_vaults: the vaults the caller may use.
import { z } from 'zod';
import { cursorField, limitField, nextCursorField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import type { VaultDeps } from '../deps.ts';
import { listVaults as list, type UsableVault } from '../rules/list.ts';

const input = z.strictObject({ limit: limitField(limits.page_max_items), cursor: cursorField });

const output = z.object({
  vaults: z
    .array(
      z.object({
        vault_id: z.string().describe('Id.'),
        name: z.string().describe('Name.'),
        description: z.string().describe('What for.'),
        vault_type: z.string().describe('Kind.'),
        owner: z.string().describe('Who made it.'),
        team_id: z.string().nullable().describe('Team.'),
        project_id: z.string().nullable().describe('Project.'),
        access_level: z.string().describe('Yours.'),
        created_at: z.string().describe('When.'),
        shared_with: z
          .array(
            z.object({
              share_with: z.string().describe('Whom.'),
              share_type: z.string().describe('user or team.'),
              access_level: z.string().describe('Level.'),
              expires_at: z.string().nullable().describe('Until.'),
            }),
          )
          .describe('Grants; admin only.'),
      }),
    )
    .describe('Oldest first.'),
  next_cursor: nextCursorField,
});

export const listVaults = defineOperation<VaultDeps, typeof input, typeof output>({
  name: 'list_vaults',
  title: 'List vaults',
  description: 'Lists the vaults you may use: your own, your teams’ and those shared with you, with your access level.',
  toolset: 'vaults',
  input,
  output,
  effects: READS,
  permission: 'vault.read',
  audited: true,
  rest: { method: 'GET', path: '/vaults' },
  cli: {
    group: 'vault',
    verb: 'list',
    table: { rows: 'vaults', columns: ['vault_id', 'name', 'vault_type', 'access_level'] },
  },
  examples: [{ title: 'All of them', input: {} }],
  async handle(deps, page, { principal }) {
    const found = await list(deps, principal, page);
    await deps.audit.record(principal, {
      action: 'list_vaults',
      target_type: 'vault',
      target_id: null,
      result: 'ok',
      details: { vaults: found.vaults.length },
    });
    return { vaults: found.vaults.map(shown), next_cursor: found.next_cursor };
  },
  text(out) {
    const head = {
      kind: 'text',
      text: out.vaults.length === 0 ? 'No vault.' : `${out.vaults.length} vaults:`,
    } as const;
    const lines = out.vaults.map((v) => `${v.vault_id} ${v.name} (${v.vault_type}, ${v.access_level})`);
    return out.vaults.length === 0 ? [head] : [head, { kind: 'stored', text: lines.join('\n') }];
  },
});

function shown({ vault, level, grants }: UsableVault) {
  const { vault_id, name, description, vault_type, user_id, team_id, project_id, created_at } = vault;
  const shared_with = grants.map(({ grantee_id, grantee_type, access_level, expires_at }) => ({
    share_with: grantee_id,
    share_type: grantee_type,
    access_level,
    expires_at,
  }));
  const facts = { vault_id, name, description, vault_type, team_id, project_id, created_at };
  return { ...facts, owner: user_id, access_level: level, shared_with };
}
