// gdpr_export_user_data: everything of one user, a page at a time.
import { z } from 'zod';
import { idField, limitField, nextCursorField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
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
    const begins = request.cursor === undefined;
    if (begins) await sessions.flush();
    // Each page: a cursor is the caller's word for it that there was a page before, and for whom.
    await audit.record(principal, {
      action: 'gdpr_export_user_data',
      target_type: 'user',
      target_id: null,
      result: 'ok',
      affected_user_id: request.user_id,
      details: { format: request.format, ...(begins ? {} : { continued: true }) },
    });
    return exportPage(store.db as unknown as AnyReader, store.clock.now(), request);
  },
  text: (out) => [
    { kind: 'stored', text: out.text },
    ...(out.next_cursor === null ? [] : [{ kind: 'text' as const, text: `More: cursor=${out.next_cursor}` }]),
  ],
});
