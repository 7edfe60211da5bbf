// detect_duplicate_memories: pairs that say the same, by the cosine of their vectors.
import { z } from 'zod';
import { limitField, nameField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { reachIn } from '../reach.ts';
import { plural, summarise } from '../render.ts';
import { categoryField, scopesField } from '../schema.ts';
import type { MemoryDeps } from '../service.ts';

const input = z.strictObject({
  threshold: z.number().min(0.5).max(1).default(0.9).describe('Least similarity of a pair, cosine of their vectors.'),
  category: categoryField.optional(),
  scope: scopesField.optional(),
  project: nameField('Only within this project.').optional(),
  limit: limitField(50, limits.duplicates_max_items),
});

const side = z.object({
  memory_id: z.string().describe('Id.'),
  content: z.string().describe('Beginning of the text.'),
  created_at: z.string().describe('Stored.'),
});

const output = z.object({
  pairs: z
    .array(
      z.object({
        similarity: z.number().describe('0 to 1.'),
        first: side.describe('One.'),
        second: side.describe('The other.'),
      }),
    )
    .describe('Most similar first.'),
  examined: z.number().describe('Memories compared.'),
  hint: z.string().nullable().describe('What to do next.'),
});

export const detectDuplicateMemories = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'detect_duplicate_memories',
  title: 'Detect duplicate memories',
  description:
    'Finds pairs of memories that mean nearly the same, most similar first. Changes nothing; merge_duplicate_memories joins a pair.',
  toolset: 'lifecycle',
  input,
  output,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/memories/duplicates' },
  cli: { group: 'memory', verb: 'duplicates' },
  examples: [{ title: 'Near-identical memories', input: { threshold: 0.9 } }],
  async handle({ search }, { threshold, category, scope, project, limit }, ctx) {
    const filter = {
      ...reachIn(ctx, scope),
      ...(category ? { category: [category] } : {}),
      ...(project ? { project } : {}),
    };
    const found = await search.duplicates(filter, { threshold, limit }, ctx);
    const pairs = found.pairs.map((pair) => ({
      similarity: pair.similarity,
      first: shown(pair.first),
      second: shown(pair.second),
    }));
    const hints: string[] = [];
    if (pairs.length > 0)
      hints.push('Join a pair with merge_duplicate_memories; the other side stays recoverable for 30 days.');
    if (found.left_out > 0)
      hints.push(`${found.left_out} were not compared: no vector yet, or too many at once. Narrow it, or try later.`);
    return { pairs, examined: found.examined, hint: hints.length > 0 ? hints.join(' ') : null };
  },
  text(out) {
    const head = {
      kind: 'text' as const,
      text: `${plural(out.pairs.length, 'pair')} among ${plural(out.examined, 'memory', 'memories')}. ${out.hint ?? ''}`.trim(),
    };
    if (out.pairs.length === 0) return [head];
    const lines = out.pairs.map(
      (pair) =>
        `${pair.similarity.toFixed(3)} ${pair.first.memory_id} | ${pair.second.memory_id}\n  ${pair.first.content}\n  ${pair.second.content}`,
    );
    return [head, { kind: 'stored', text: lines.join('\n') }];
  },
});

function shown(row: { memory_id: string; content: string; created_at: string }) {
  return { memory_id: row.memory_id, content: summarise(row.content), created_at: row.created_at };
}
