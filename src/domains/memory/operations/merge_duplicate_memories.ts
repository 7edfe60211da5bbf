// merge_duplicate_memories: join two memories that say the same.
import { z } from 'zod';
import { idField } from '../../../kernel/fields.ts';
import { DELETES, defineOperation } from '../../../kernel/operation.ts';
import { mergeMemories } from '../rules/duplicates.ts';
import { callerOf, type MemoryDeps } from '../service.ts';

const input = z.strictObject({
  memory_id_1: idField('One of the two.'),
  memory_id_2: idField('The other.'),
  keep_memory: idField('newest, oldest, longest, or the id of the one to keep.').default('newest'),
});

const output = z.object({
  memory_id: z.string().describe('The memory that was kept.'),
  removed_memory_id: z.string().describe('The one in the recycle bin.'),
  tags: z.array(z.string()).describe('Tags of both.'),
  recoverable_until: z.string().nullable().describe('Until then the merge can be taken back.'),
  hint: z.string().describe('How to take it back.'),
});

export const mergeDuplicateMemories = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'merge_duplicate_memories',
  title: 'Merge duplicate memories',
  description:
    'Keeps one of two memories and moves the other to the recycle bin. The kept one gains the tags, missing fields and provenance of the other. Reversible for 30 days.',
  toolset: 'lifecycle',
  input,
  output,
  effects: { ...DELETES, idempotent: false },
  permission: 'memory.delete',
  rest: { method: 'POST', path: '/memories/merge' },
  cli: { group: 'memory', verb: 'merge', positional: ['memory_id_1', 'memory_id_2'] },
  examples: [
    { title: 'Keep the newest', input: { memory_id_1: 'abc123', memory_id_2: 'def456', keep_memory: 'newest' } },
  ],
  async handle(deps, { memory_id_1, memory_id_2, keep_memory }, ctx) {
    const { kept, removed } = await mergeMemories(deps, [memory_id_1, memory_id_2], keep_memory, callerOf(ctx));
    return {
      memory_id: kept.memory_id,
      removed_memory_id: removed.memory_id,
      tags: JSON.parse(kept.tags) as string[],
      recoverable_until: removed.purge_at,
      hint: `To take it back: recover_deleted_memory ${removed.memory_id}, then update_memory ${kept.memory_id} undo=true.`,
    };
  },
  text: (out) => [
    { kind: 'text', text: `Kept ${out.memory_id}; ${out.removed_memory_id} is in the recycle bin. ${out.hint}` },
  ],
});
