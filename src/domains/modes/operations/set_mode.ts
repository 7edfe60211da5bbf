// set_mode: this session goes on in another mode.
import { z } from 'zod';
import { idField } from '../../../kernel/fields.ts';
import { defineOperation, OPERATING_MODES, UPDATES } from '../../../kernel/operation.ts';
import { setMode as set } from '../change.ts';
import type { ModeDeps } from '../deps.ts';
import { contextName, MEANING } from '../describe.ts';
import { modeOutput, modeText } from '../schema.ts';

const input = z.strictObject({
  mode: z.enum(OPERATING_MODES).describe('Where to work.'),
  context_id: idField('team: the team_id, required; vault: a vault_id, optional; solo: none.').optional(),
});

const output = z.object({ ...modeOutput, since: z.string().describe('When it was chosen.') });

export const setMode = defineOperation<ModeDeps, typeof input, typeof output>({
  name: 'set_mode',
  title: 'Set mode',
  description:
    'Switches this session to solo (private), team (shared with a team) or vault (secrets, audited). It stays so over reconnects, and decides where new memories go and what search sees.',
  toolset: 'modes',
  input,
  output,
  effects: UPDATES,
  permission: 'mode.write',
  audited: true,
  rest: { method: 'POST', path: '/mode' },
  cli: { group: 'mode', verb: 'set', positional: ['mode', 'context_id'] },
  examples: [
    { title: 'Private work', input: { mode: 'solo' } },
    { title: 'Work in a team', input: { mode: 'team', context_id: 'team_engineering_001' } },
  ],
  async handle(deps, { mode, context_id = null }, ctx) {
    const since = await set(deps, ctx, mode, context_id);
    return {
      mode,
      context_id,
      context_name: await contextName(deps, ctx.principal, { mode, context_id }),
      meaning: MEANING[mode],
      since,
    };
  },
  text: (out) => modeText(out),
});
