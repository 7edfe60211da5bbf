// gdpr_delete_user_data: erase a person, after having seen what that means.
import { z } from 'zod';
import { idField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { DELETES, defineOperation, type OperationContext } from '../../../kernel/operation.ts';
import { isAdmin } from '../../access/index.ts';
import { assertAdmin, assertMayHandle } from '../access.ts';
import { countErasure } from '../counts.ts';
import type { PrivacyDeps } from '../deps.ts';
import { eraseUser } from '../erase.ts';
import { activeHolds, assertNoHold } from '../holds.ts';
import { createNameMatcher, isMatchable } from '../mentions.ts';

const input = z.strictObject({
  user_id: idField('Whose data; yours, or anybody as administrator.'),
  confirm: z.boolean().default(false).describe('true erases; else only counts.'),
  dry_run: z.boolean().default(false).describe('Count only, whatever confirm says.'),
  reason: z.string().trim().max(limits.reason_length_max_chars).optional().describe('For the audit log.'),
  redact_mentions: z
    .boolean()
    .default(false)
    .describe('Put a pseudonym for the name in texts of others too. Administrators only.'),
});

const output = z.object({
  erased: z.boolean().describe('False: nothing was changed.'),
  tables: z
    .array(
      z.object({
        table: z.string().describe('Table.'),
        deleted: z.number().describe('Rows that go.'),
        renamed: z.number().describe('Rows that stay without the name.'),
        mentions: z.number().describe('Rows of others with the name in a text.'),
      }),
    )
    .describe('By table; those with nothing are left out.'),
  mentions: z.number().nullable().describe('Texts of others with the name; null: only administrators see that.'),
  teams_handed_over: z.number().describe('Teams that get another owner.'),
  teams_deleted: z.number().describe('Teams that end: nobody is left who could own them.'),
  on_hold: z.boolean().nullable().describe('Under legal hold; null: only administrators see that.'),
  erasure_id: z.string().nullable().describe('In the log of erasures.'),
  left: z.string().describe('What may still be readable on the disk; empty: nothing.'),
});

export const gdprDeleteUserData = defineOperation<PrivacyDeps, typeof input, typeof output>({
  name: 'gdpr_delete_user_data',
  title: 'Erase personal data',
  description:
    'Erases a user from all domains for good: memories of every scope, own vaults, memberships, tokens, sessions; elsewhere the name becomes a pseudonym. Without confirm=true it only counts. Refused under a legal hold. Run again after an interruption.',
  toolset: 'privacy',
  input,
  output,
  effects: DELETES,
  permission: 'privacy.erase',
  audited: true,
  rest: { method: 'POST', path: '/privacy/erase' },
  cli: { group: 'privacy', verb: 'erase', positional: ['user_id'] },
  examples: [{ title: 'See what would go', input: { user_id: 'ada', dry_run: true } }],
  async handle(deps, request, ctx) {
    const { user_id, redact_mentions } = request;
    assertMayHandle(ctx.principal, user_id);
    if (redact_mentions) assertAdmin(ctx.principal, 'change what others wrote');
    const admin = isAdmin(ctx.principal);
    const countable = admin && isMatchable(user_id);
    const erases = request.confirm && !request.dry_run;
    if (erases) await assertNoHold(deps.store.db, user_id, ctx.principal);
    const matcher = redact_mentions || countable ? createNameMatcher(user_id) : undefined;
    await deps.sessions.flush();
    await onRecord(deps, request, erases, ctx);
    if (!erases) {
      const counts = await countErasure(deps, user_id, matcher);
      const on_hold = admin ? (await activeHolds(deps.store.db, user_id)).length > 0 : null;
      return { ...shown(counts, matcher !== undefined), erased: false, on_hold, erasure_id: null, left: '' };
    }
    const report = await eraseUser(deps, { user_id, matcher: redact_mentions ? matcher : undefined }, ctx);
    return {
      ...shown(report, redact_mentions),
      erased: true,
      on_hold: admin ? false : null,
      erasure_id: report.erasure_id,
      left: report.traces.left,
    };
  },
  text(out) {
    const rows = out.tables.map(
      ({ table, deleted, renamed, mentions }) =>
        `${table}: ${deleted} deleted, ${renamed} renamed${mentions > 0 ? `, ${mentions} mentions` : ''}`,
    );
    const last = out.erased
      ? `Erased (${out.erasure_id}). ${out.left}`
      : `Nothing was changed. ${out.on_hold ? 'A legal hold forbids the erasure.' : 'confirm=true erases.'}`;
    return [{ kind: 'text', text: [...rows, last].join('\n').trim() }];
  },
});

/** Before anything happens: an erasure that cannot be written down does not begin. */
async function onRecord(
  { audit }: PrivacyDeps,
  { user_id, reason, redact_mentions }: z.output<typeof input>,
  erases: boolean,
  { principal }: OperationContext,
): Promise<void> {
  await audit.record(principal, {
    action: 'gdpr_delete_user_data',
    target_type: 'user',
    target_id: null,
    result: 'ok',
    reason,
    affected_user_id: user_id,
    details: { dry_run: !erases, redact_mentions },
  });
}

type Counts = Awaited<ReturnType<typeof countErasure>>;

function shown({ tables, teams_handed_over, teams_deleted }: Counts, counted: boolean) {
  const some = tables.filter(({ deleted, renamed, mentions }) => deleted + renamed + mentions > 0);
  const mentions = counted ? some.reduce((sum, table) => sum + table.mentions, 0) : null;
  return { tables: some, mentions, teams_handed_over, teams_deleted };
}
