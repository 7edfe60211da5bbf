// place_legal_hold: keep a user's data from being erased.
import { z } from 'zod';
import { idField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import { assertAdmin } from '../access.ts';
import type { PrivacyDeps } from '../deps.ts';
import { placeHold } from '../holds.ts';

const input = z.strictObject({
  user_id: idField('Whose data.'),
  reason: z.string().trim().min(1).max(limits.reason_length_max_chars).describe('Why.'),
});

const output = z.object({
  hold_id: z.string().describe('Id.'),
  placed_at: z.string().describe('When.'),
});

export const placeLegalHold = defineOperation<PrivacyDeps, typeof input, typeof output>({
  name: 'place_legal_hold',
  title: 'Place a legal hold',
  description: "Keeps a user's data from erasure until release_legal_hold. Administrators only.",
  toolset: 'admin',
  input,
  output,
  effects: WRITES,
  permission: 'system.admin',
  audited: true,
  rest: { method: 'POST', path: '/privacy/holds', status: 201 },
  cli: { group: 'privacy', verb: 'hold', positional: ['user_id'] },
  examples: [{ title: 'For a court', input: { user_id: 'ada', reason: 'case 12/2026' } }],
  async handle(deps, { user_id, reason }, { principal }) {
    assertAdmin(principal, 'place legal holds');
    const { hold_id, placed_at } = await placeHold(deps, principal, user_id, reason);
    return { hold_id, placed_at };
  },
  text: (out) => [{ kind: 'text', text: `On hold: ${out.hold_id}.` }],
});
