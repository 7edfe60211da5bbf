// import_conversation: a whole conversation as memories, one a turn.
import { z } from 'zod';
import { failure } from '../../../kernel/errors.ts';
import { nameField, tagsField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import { plural, secretsHint } from '../render.ts';
import { scopeField } from '../schema.ts';
import { callerOf, type MemoryDeps } from '../service.ts';

const PROBLEMS_SHOWN_COUNT = 20;

const input = z.strictObject({
  conversation_text: z
    .string()
    .max(limits.conversation_length_max_chars)
    .refine((text) => text.trim() !== '', 'is empty')
    .describe(
      'The conversation: "User: ... Assistant: ...", or the text of a Claude Code, ChatGPT or Claude.ai export.',
    ),
  title: nameField('What it was about.').optional(),
  source: nameField('Where it comes from, as a file name.').optional(),
  project: nameField('Project it belongs to.').optional(),
  tags: tagsField('Added to every turn.').optional(),
  scope: scopeField.optional(),
});

const output = z.object({
  stored: z.number().describe('Memories stored.'),
  updated: z.number().describe('Memories renewed, because the conversation went on since it was imported.'),
  skipped: z.number().describe('Known already from an earlier import.'),
  conversations: z.number().describe('Conversations found.'),
  redacted: z.number().describe('Secrets replaced by markers.'),
  memory_ids: z.array(z.string()).describe('The first of them.'),
  problems: z
    .array(z.object({ line: z.number().nullable().describe('Line.'), message: z.string().describe('What was wrong.') }))
    .describe('What was skipped and why.'),
  hint: z.string().nullable().describe('Where to keep secrets that were found.'),
});

export const importConversation = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'import_conversation',
  title: 'Import conversation',
  description:
    'Stores a full conversation as memories, one a turn in order plus one with its title,. Recognises exports of Claude Code, ChatGPT and Claude.ai. Importing the same conversation again adds nothing.',
  toolset: 'memory',
  core: true,
  input,
  output,
  effects: { ...WRITES, idempotent: true },
  permission: 'memory.write',
  rest: { method: 'POST', path: '/conversations/import', status: 201 },
  cli: { group: 'memory', verb: 'import-conversation', positional: ['conversation_text'] },
  examples: [
    {
      title: 'A short exchange',
      input: {
        conversation_text:
          'User: why do the pods restart?\nAssistant: The liveness probe hits /health before the cache is warm.',
        title: 'Pod restarts',
      },
    },
  ],
  async handle({ imports }, { conversation_text, source, ...options }, ctx) {
    const problems: { line: number | null; message: string }[] = [];
    const text = async function* () {
      yield conversation_text;
    };
    for await (const step of imports.run(
      { source: text(), name: source, ...options, signal: ctx.signal },
      callerOf(ctx),
    )) {
      if (step.type === 'progress') ctx.reportProgress({ done: step.totals.stored + step.totals.skipped });
      else if (step.type === 'problem') problems.push({ line: step.line ?? null, message: step.message });
      else {
        const { stored, updated, skipped, conversations, redacted, redacted_kinds, first_memory_ids } = step.totals;
        if (stored + updated + skipped === 0)
          throw failure(
            'invalid_input',
            'import_conversation: nothing in the text could be read as a conversation.',
            'Begin each turn with a speaker and a colon, or pass a whole export file.',
          );
        return {
          stored,
          updated,
          skipped,
          conversations,
          redacted,
          memory_ids: first_memory_ids,
          problems: problems.slice(0, PROBLEMS_SHOWN_COUNT),
          hint: secretsHint(redacted_kinds),
        };
      }
    }
    throw failure('internal', 'The import ended without a result.', 'Try again.');
  },
  text(out) {
    const text = `${plural(out.stored, 'memory', 'memories')} stored, ${out.updated} renewed, ${out.skipped} known already, ${plural(out.problems.length, 'problem')}.`;
    const problems = out.problems.map(({ line, message }) => (line === null ? message : `line ${line}: ${message}`));
    const first = out.memory_ids.length > 0 ? [`The first of them: ${out.memory_ids.join(', ')}`] : [];
    return [{ kind: 'text', text: [text, ...first, ...problems, ...(out.hint ? [out.hint] : [])].join('\n') }];
  },
});
