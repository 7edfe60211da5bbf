// Answers that the mode operations share.
import { z } from 'zod';
import type { TextPart } from '../../kernel/operation.ts';

export const modeOutput = {
  mode: z.string().describe('solo, team or vault.'),
  context_id: z.string().nullable().describe('The team or vault.'),
  context_name: z.string().nullable().describe('Its name.'),
  meaning: z.string().describe('Where memories go and are looked for.'),
};

interface Shown {
  readonly mode: string;
  readonly context_id: string | null;
  readonly context_name: string | null;
  readonly meaning: string;
}

/** The mode as a sentence; the name comes from the store and is marked as such. */
export function modeText({ mode, context_id, context_name, meaning }: Shown, more = ''): TextPart[] {
  const about = context_id === null ? mode : `${mode} ${context_id}`;
  const head: TextPart = { kind: 'text', text: `Mode: ${about}. ${meaning}${more}` };
  return context_name === null ? [head] : [head, { kind: 'stored', text: context_name }];
}
