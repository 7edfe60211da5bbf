// anchor_audit_log: the end of the log, to be kept where this hub cannot write.
import { z } from 'zod';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { signerOf } from '../anchors.ts';
import { type AuditOperationDeps, noteReading } from './deps.ts';

const input = z.strictObject({});

const output = z.object({
  store_id: z.string().describe('The store.'),
  seq: z.number().describe('Number of its last row.'),
  hash: z.string().describe('Hash of that row, which stands for all before it.'),
  at: z.string().describe('When the anchor was taken.'),
  signature: z.string().nullable().describe('JWS by the hub; null where its key could not be had.'),
});

export const anchorAuditLog = defineOperation<AuditOperationDeps, typeof input, typeof output>({
  name: 'anchor_audit_log',
  title: 'Anchor the audit log',
  description:
    'Gives the end of the audit log, signed. Kept elsewhere, verify_audit_log tells by it whether newest rows were removed. Administrators only.',
  toolset: 'admin',
  input,
  output,
  effects: READS,
  permission: 'system.admin',
  audited: true,
  rest: { method: 'GET', path: '/audit/anchor' },
  cli: { group: 'audit', verb: 'anchor' },
  examples: [{ title: 'Now', input: {} }],
  async handle({ audit, keys }, _input, { principal }) {
    // Both write rows of their own: the anchor is taken after them.
    const sign = await signerOf(keys, principal);
    await noteReading({ audit }, principal, 'anchor_audit_log');
    const anchor = await audit.anchor();
    return { ...anchor, signature: sign ? await sign(anchor) : null };
  },
  text: ({ seq, hash, signature }) => [
    {
      kind: 'text',
      text: `Row ${seq}: ${hash}${signature === null ? ' (not signed: the hub has no key)' : ', signed'}`,
    },
  ],
});
