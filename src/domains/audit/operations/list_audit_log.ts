// list_audit_log: who did what, newest first.
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import { cursorField, idField, limitField, nextCursorField, sinceField } from '../../../kernel/fields.ts';
import { resolveSince } from '../../../kernel/moments.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { type AuditOperationDeps, noteReading } from './deps.ts';

const input = z.strictObject({
  user: idField('Only acts of this user.').optional(),
  target: idField('Only acts on this vault, team, token or operation.').optional(),
  since: sinceField('Only from then on: 7d, 12h or a time.').optional(),
  limit: limitField(),
  cursor: cursorField,
});

const output = z.object({
  rows: z
    .array(
      z.object({
        seq: z.number().describe('Number.'),
        at: z.string().describe('When.'),
        action: z.string().describe('What.'),
        target_type: z.string().describe('On what kind of thing.'),
        target_id: z.string().nullable().describe('On which.'),
        result: z.string().describe('ok, refused or failed.'),
        user: z.string().nullable().describe('Who; null once erased.'),
        agent_id: z.string().nullable().describe('Agent.'),
        machine_id: z.string().nullable().describe('Machine.'),
        reason: z.string().nullable().describe('Why, as the caller said.'),
        affected_user: z.string().nullable().describe('Whom it concerns.'),
        details: z
          .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
          .describe('Further facts.'),
      }),
    )
    .describe('Newest first.'),
  next_cursor: nextCursorField,
});

export const listAuditLog = defineOperation<AuditOperationDeps, typeof input, typeof output>({
  name: 'list_audit_log',
  title: 'List the audit log',
  description: 'Lists who did what on this hub, newest first. Administrators only; reading it is audited too.',
  toolset: 'admin',
  input,
  output,
  effects: READS,
  permission: 'system.admin',
  audited: true,
  rest: { method: 'GET', path: '/audit' },
  cli: {
    group: 'audit',
    verb: 'list',
    table: { rows: 'rows', columns: ['seq', 'at', 'user', 'action', 'target_id', 'result', 'reason'] },
  },
  examples: [{ title: 'The last day of one user', input: { user: 'bob', since: '1d' } }],
  async handle({ audit, clock }, { user, target, since, limit, cursor }, { principal }) {
    const [before] = cursor === undefined ? [] : decodeCursor(cursor, 1);
    await noteReading({ audit }, principal, 'list_audit_log');
    const found = await audit.list({
      limit: limit + 1,
      ...(user === undefined ? {} : { user_id: user }),
      ...(target === undefined ? {} : { target_id: target }),
      ...(since === undefined ? {} : { since: resolveSince(since, clock.now()) }),
      ...(before === undefined ? {} : { before_seq: Number(before) }),
    });
    const rows = found.slice(0, limit).map(({ actor, affected_user_id, ...row }) => ({
      ...row,
      user: actor?.user_id ?? null,
      agent_id: actor?.agent_id ?? null,
      machine_id: actor?.machine_id ?? null,
      affected_user: affected_user_id,
    }));
    const last = rows.at(-1);
    return { rows, next_cursor: found.length > limit && last ? encodeCursor([last.seq]) : null };
  },
  text: ({ rows }) => [
    { kind: 'text', text: rows.length === 0 ? 'No rows.' : `${rows.length} rows:` },
    ...rows.map((row) => ({
      kind: 'stored' as const,
      text: `${row.seq} ${row.at} ${row.user ?? '(erased)'} ${row.action} ${row.target_id ?? ''} ${row.result} ${row.reason ?? ''}`,
    })),
  ],
});
