// verify_audit_log: whether anything in the log was changed, removed or put in.
import { z } from 'zod';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { checkSignature, parseAnchor } from '../anchors.ts';
import { type AuditOperationDeps, noteReading } from './deps.ts';

const ANCHOR_MAX_CHARS = 4_000;

const input = z.strictObject({
  anchor: z
    .string()
    .max(ANCHOR_MAX_CHARS)
    .optional()
    .describe('What anchor_audit_log answered earlier, as JSON: shows whether newest rows were removed since.'),
});

const output = z.object({
  ok: z.boolean().describe('False where anything does not fit.'),
  rows: z.number().describe('Rows read.'),
  last_seq: z.number().describe('Number of the last one.'),
  last_hash: z.string().describe('Its hash.'),
  first_bad_seq: z.number().nullable().describe('Where the damage begins.'),
  problems_total: z.number().describe('Problems found.'),
  problems: z
    .array(
      z.object({
        seq: z.number().optional().describe('Row.'),
        problem: z.string().describe('What does not fit.'),
      }),
    )
    .describe('The first of them.'),
  anchor_signature: z
    .enum(['valid', 'wrong', 'absent', 'key_unknown', 'no_anchor'])
    .describe('What the signature of the anchor is worth.'),
});

export const verifyAuditLog = defineOperation<AuditOperationDeps, typeof input, typeof output>({
  name: 'verify_audit_log',
  title: 'Verify the audit log',
  description:
    'Reads the whole audit log and tells whether a row was changed, removed, moved or put in. Administrators only.',
  toolset: 'admin',
  input,
  output,
  effects: READS,
  permission: 'system.admin',
  audited: true,
  rest: { method: 'GET', path: '/audit/verification' },
  cli: { group: 'audit', verb: 'verify' },
  examples: [{ title: 'All of it', input: {} }],
  async handle({ audit, keys }, input, ctx) {
    const anchor = input.anchor === undefined ? undefined : parseAnchor(input.anchor);
    const anchor_signature = anchor ? await checkSignature(keys, anchor) : ('no_anchor' as const);
    await noteReading({ audit }, ctx.principal, 'verify_audit_log');
    const report = await audit.verify({ anchor, onProgress: ctx.reportProgress, signal: ctx.signal });
    if (anchor_signature !== 'wrong') return { ...report, problems: [...report.problems], anchor_signature };
    const problem = { problem: 'The signature of the anchor does not fit it.' };
    return {
      ...report,
      ok: false,
      problems: [problem, ...report.problems],
      problems_total: report.problems_total + 1,
      anchor_signature,
    };
  },
  text: ({ ok, rows, problems, problems_total }) => [
    {
      kind: 'text',
      text: ok
        ? `${rows} rows, all in order.`
        : `The audit log is broken: ${problems_total} problems in ${rows} rows.\n${problems
            .map(({ seq, problem }) => (seq === undefined ? problem : `row ${seq}: ${problem}`))
            .join('\n')}`,
    },
  ],
});
