// get_mode: where this session works.
import { z } from 'zod';
import { defineOperation, type OperationContext, READS, SOLO } from '../../../kernel/operation.ts';
import type { ModeDeps } from '../deps.ts';
import { contextName, MEANING } from '../describe.ts';
import { modeOutput, modeText } from '../schema.ts';

const input = z.strictObject({});

const output = z.object({
  ...modeOutput,
  since: z.string().nullable().describe('When it was chosen; null: never.'),
  fell_back_from: z.string().nullable().describe('Mode that ended by itself, until you choose one.'),
});

export const getMode = defineOperation<ModeDeps, typeof input, typeof output>({
  name: 'get_mode',
  title: 'Current mode',
  description: 'Says in which mode this session works (solo, team or vault), and where memories go and are looked for.',
  toolset: 'modes',
  input,
  output,
  effects: READS,
  permission: 'mode.read',
  rest: { method: 'GET', path: '/mode' },
  cli: { group: 'mode', verb: 'get' },
  examples: [{ title: 'Where do I work', input: {} }],
  async handle(deps, _input, ctx: OperationContext) {
    const mode = ctx.mode ?? SOLO;
    return {
      mode: mode.mode,
      context_id: mode.context_id,
      context_name: await contextName(deps, ctx.principal, mode),
      meaning: MEANING[mode.mode],
      ...(await deps.modes.stateOf(ctx)),
    };
  },
  text(out) {
    const lost =
      out.fell_back_from === null
        ? ''
        : ` This session was in ${out.fell_back_from}: that membership, vault or session ended.`;
    return modeText(out, lost);
  },
});
