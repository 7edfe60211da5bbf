// vault_audit_log: who did what to a vault, also who was refused.
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import { cursorField, limitField, nextCursorField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import type { AuditRow } from '../../audit/index.ts';
import { usableVault } from '../access.ts';
import type { VaultDeps } from '../deps.ts';
import { vaultIdField } from '../schema.ts';

const HOUR_MS = 3_600_000;

const input = z.strictObject({
  vault_id: vaultIdField,
  hours: z.number().int().min(1).max(limits.vault_audit_hours_max).default(168).describe('How far back.'),
  limit: limitField(100),
  cursor: cursorField,
});

const output = z.object({
  entries: z
    .array(
      z.object({
        seq: z.number().describe('Number in the log.'),
        at: z.string().describe('When.'),
        action: z.string().describe('What.'),
        result: z.string().describe('ok, refused or failed.'),
        user_id: z.string().nullable().describe('Who.'),
        agent_id: z.string().nullable().describe('Agent.'),
        machine_id: z.string().nullable().describe('Machine.'),
        reason: z.string().nullable().describe('Why.'),
        affected_user_id: z.string().nullable().describe('User it concerns.'),
        details: z.record(z.string(), z.json()).describe('Key, version and the like.'),
      }),
    )
    .describe('Newest first.'),
  next_cursor: nextCursorField,
});

export const vaultAuditLog = defineOperation<VaultDeps, typeof input, typeof output>({
  name: 'vault_audit_log',
  title: 'Vault audit log',
  description: 'Lists every access, change and refusal of a vault you administer, newest first. Never values.',
  toolset: 'vaults',
  input,
  output,
  effects: READS,
  permission: 'vault.read',
  audited: true,
  rest: { method: 'GET', path: '/vaults/{vault_id}/audit' },
  cli: {
    group: 'vault',
    verb: 'audit',
    positional: ['vault_id'],
    table: { rows: 'entries', columns: ['at', 'action', 'result', 'user_id', 'reason'] },
  },
  examples: [{ title: 'The last week', input: { vault_id: 'vault_abc123', hours: 168, limit: 100 } }],
  async handle(deps, { vault_id, hours, limit, cursor }, { principal }) {
    await usableVault(deps, principal, vault_id, 'admin');
    const before = cursor === undefined ? {} : { before_seq: Number(decodeCursor(cursor, 1)[0]) };
    const about = { target_type: 'vault', target_id: vault_id } as const;
    const since = toIso(deps.store.clock.now() - hours * HOUR_MS);
    const rows = await deps.audit.list({ ...about, since, ...before, limit: limit + 1 });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    const details = { entries: page.length };
    await deps.audit.record(principal, { action: 'vault_audit_log', ...about, result: 'ok', details });
    return { entries: page.map(shown), next_cursor: last ? encodeCursor([last.seq]) : null };
  },
  text(out) {
    const lines = out.entries.map(
      (e) => `${e.at} ${e.action} ${e.result} ${e.user_id ?? '(erased)'}${e.reason === null ? '' : `: ${e.reason}`}`,
    );
    const more = out.next_cursor === null ? [] : ['There are more: pass next_cursor as cursor.'];
    const head = { kind: 'text', text: [`${out.entries.length} entries.`, ...more].join('\n') } as const;
    return lines.length === 0 ? [head] : [head, { kind: 'stored', text: lines.join('\n') }];
  },
});

function shown({ seq, at, action, result, actor, reason, affected_user_id, details }: AuditRow) {
  const { user_id = null, agent_id = null, machine_id = null } = actor ?? {};
  return { seq, at, action, result, user_id, agent_id, machine_id, reason, affected_user_id, details: { ...details } };
}
