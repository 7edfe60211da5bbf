// gdpr_export_user_data: everything of one user, a page at a time.

import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { idField, limitField, nextCursorField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import type { Principal } from '../../../kernel/operation.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { assertMayHandle } from '../access.ts';
import type { PrivacyDeps } from '../deps.ts';
import { exportPage } from '../export.ts';
import { EXPORT_FORMATS } from '../formats.ts';
import type { AnyReader } from '../rows.ts';

const input = z.strictObject({
  user_id: idField('Whose data; yours, or anybody as administrator.'),
  format: z.enum(EXPORT_FORMATS).default('json').describe('Form of the document.'),
  limit: limitField(limits.page_max_items),
  cursor: z.string().max(4_000).optional().describe('next_cursor of the previous page.'),
});

const output = z.object({
  text: z.string().describe('This page; the texts of all pages, joined, are the document.'),
  rows: z.number().describe('Rows in this page.'),
  next_cursor: nextCursorField,
});

export const gdprExportUserData = defineOperation<PrivacyDeps, typeof input, typeof output>({
  name: 'gdpr_export_user_data',
  title: 'Export personal data',
  description:
    'Everything stored of one user over all domains, page by page (about 60 kB each). Never values of secrets: `haivemind vault export` writes those. Whole as a file: `haivemind privacy export USER -o FILE`.',
  toolset: 'privacy',
  input,
  output,
  effects: READS,
  permission: 'privacy.export',
  audited: true,
  rest: { method: 'GET', path: '/privacy/export/{user_id}' },
  cli: { group: 'privacy', verb: 'page', positional: ['user_id'] },
  examples: [{ title: 'First page', input: { user_id: 'ada', format: 'markdown' } }],
  async handle({ store, audit, sessions }, request, { principal }) {
    assertMayHandle(principal, request.user_id);
    if (request.cursor === undefined) await sessions.flush();
    // A cursor is only the caller's word for it that there was a page before. Not each page has a row: those are rows of
    // the user themselves, and an export in small pages would never end.
    if (request.cursor === undefined || !(await isBegun(audit, store.clock.now(), request.user_id, principal)))
      await audit.record(principal, {
        action: ACTION,
        target_type: 'user',
        target_id: null,
        result: 'ok',
        affected_user_id: request.user_id,
        details: { format: request.format },
      });
    return exportPage(store.db as unknown as AnyReader, store.clock.now(), request);
  },
  text: (out) => [
    { kind: 'stored', text: out.text },
    ...(out.next_cursor === null ? [] : [{ kind: 'text' as const, text: `More: cursor=${out.next_cursor}` }]),
  ],
});

const ACTION = 'gdpr_export_user_data';
const EXPORT_MAX_MS = 86_400_000;
const ROWS_LOOKED_AT = 200;

/** Whether this caller's export of this user is on record already. */
async function isBegun(
  audit: PrivacyDeps['audit'],
  now_ms: number,
  user_id: string,
  principal: Principal,
): Promise<boolean> {
  const since = toIso(now_ms - EXPORT_MAX_MS);
  const filter = { target_type: 'user', user_id: principal.user_id, since, limit: ROWS_LOOKED_AT } as const;
  const rows = await audit.list(filter);
  return rows.some((row) => row.action === ACTION && row.result === 'ok' && row.affected_user_id === user_id);
}
