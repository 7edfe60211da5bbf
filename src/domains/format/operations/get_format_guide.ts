// get_format_guide: the notation for compact memories, and a v2 form of a text on request.
import { z } from 'zod';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { detectFormat, GUIDE, SYMBOLS, suggestV2 } from '../guide.ts';

const input = z.strictObject({
  text: z.string().max(limits.content_length_max_chars).optional().describe('A text to judge and compress.'),
});

const output = z.object({
  guide: z.string().describe('How to write v2.'),
  symbols: z
    .array(z.object({ symbol: z.string().describe('Sign.'), meaning: z.string().describe('Meaning.') }))
    .describe('Signs.'),
  text_format: z.enum(['v1', 'v2']).nullable().describe('Format of the text asked about.'),
  suggestion: z.string().nullable().describe('Shorter form of that text, if one saves enough.'),
});

export const getFormatGuide = defineOperation<object, typeof input, typeof output>({
  name: 'get_format_guide',
  title: 'Format guide',
  description:
    'Explains the compact v2 notation for memories (symbols, tables, references). With text, says which format it is in and suggests a shorter form.',
  toolset: 'format',
  input,
  output,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/format/guide' },
  cli: { group: 'format', verb: 'guide', positional: ['text'] },
  examples: [{ title: 'Read the guide', input: {} }],
  async handle(_deps, { text }) {
    return {
      guide: GUIDE,
      symbols: [...SYMBOLS],
      text_format: text === undefined ? null : detectFormat(text),
      suggestion: (text === undefined ? undefined : suggestV2(text)) ?? null,
    };
  },
  text(out) {
    const parts = [{ kind: 'text' as const, text: out.guide }];
    return out.suggestion === null ? parts : [...parts, { kind: 'stored' as const, text: out.suggestion }];
  },
});
