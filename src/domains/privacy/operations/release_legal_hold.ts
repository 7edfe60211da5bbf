// release_legal_hold: let a user's data be erased again.
import { z } from 'zod';
import { idField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, UPDATES } from '../../../kernel/operation.ts';
import { assertAdmin } from '../access.ts';
import type { PrivacyDeps } from '../deps.ts';
import { releaseHolds } from '../holds.ts';

const input = z.strictObject({
  user_id: idField('Whose data.'),
  reason: z.string().trim().min(1).max(limits.reason_length_max_chars).describe('Why.'),
});

const output = z.object({
  hold_ids: z.array(z.string()).describe('Holds that ended.'),
  released_at: z.string().describe('When.'),
});

export const releaseLegalHold = defineOperation<PrivacyDeps, typeof input, typeof output>({
  name: 'release_legal_hold',
  title: 'Release a legal hold',
  description: 'Ends every legal hold on the data of a user: it can be erased again. Administrators only.',
  toolset: 'admin',
  input,
  output,
  effects: UPDATES,
  permission: 'system.admin',
  audited: true,
  rest: { method: 'POST', path: '/privacy/holds/release' },
  cli: { group: 'privacy', verb: 'release', positional: ['user_id'] },
  examples: [{ title: 'It is over', input: { user_id: 'ada', reason: 'case 12/2026' } }],
  async handle(deps, { user_id, reason }, { principal }) {
    assertAdmin(principal, 'release legal holds');
    return releaseHolds(deps, principal, user_id, reason);
  },
  text: (out) => [{ kind: 'text', text: `${out.hold_ids.length} released.` }],
});
