// list_vault_secrets: what is in a vault, never the values.
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { cursorField, limitField, nextCursorField } from '../../../kernel/fields.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import type { VaultDeps } from '../deps.ts';
import type { SecretRow } from '../repository.ts';
import { listSecrets } from '../rules/secrets.ts';
import { secretShape, vaultIdField } from '../schema.ts';

const DAY_MS = 86_400_000;

const input = z.strictObject({
  vault_id: vaultIdField,
  include_deleted: z.boolean().default(false).describe('Also those that can be restored.'),
  limit: limitField(100),
  cursor: cursorField,
});

const output = z.object({
  secrets: z.array(z.object(secretShape)).describe('By key.'),
  next_cursor: nextCursorField,
});

export const listVaultSecrets = defineOperation<VaultDeps, typeof input, typeof output>({
  name: 'list_vault_secrets',
  title: 'List secrets',
  description: 'Lists the keys in a vault with versions, expiry and due rotations. Never values.',
  toolset: 'vaults',
  input,
  output,
  effects: READS,
  permission: 'vault.read',
  audited: true,
  rest: { method: 'GET', path: '/vaults/{vault_id}/secrets' },
  cli: {
    group: 'vault',
    verb: 'secrets',
    positional: ['vault_id'],
    table: { rows: 'secrets', columns: ['key', 'version', 'updated_at', 'expires_at', 'rotation_due'] },
  },
  examples: [{ title: 'Everything in a vault', input: { vault_id: 'vault_abc123' } }],
  async handle(deps, page, { principal }) {
    const found = await listSecrets(deps, principal, page);
    const now_ms = deps.store.clock.now();
    return { secrets: found.secrets.map((row) => shown(row, now_ms)), next_cursor: found.next_cursor };
  },
  text(out) {
    const lines = out.secrets.map((secret) => `${secret.key} (version ${secret.version}${marks(secret)})`);
    const more = out.next_cursor === null ? [] : ['There are more: pass next_cursor as cursor.'];
    return [{ kind: 'text', text: [`${out.secrets.length} secrets.`, ...lines, ...more].join('\n') }];
  },
});

function shown(row: SecretRow, now_ms: number) {
  const { secret_key, version, updated_at, updated_by, expires_at, rotation_days, purge_at } = row;
  return {
    key: secret_key,
    version,
    updated_at,
    updated_by,
    expires_at,
    expired: expires_at !== null && expires_at <= toIso(now_ms),
    rotation_interval_days: rotation_days,
    rotation_due: rotation_days !== null && Date.parse(updated_at) + rotation_days * DAY_MS <= now_ms,
    recoverable_until: purge_at,
  };
}

function marks(secret: ReturnType<typeof shown>): string {
  return [
    secret.expired ? ', expired' : '',
    secret.rotation_due ? ', rotation due' : '',
    secret.recoverable_until === null ? '' : `, deleted, recoverable until ${secret.recoverable_until}`,
  ].join('');
}
