// delete_memory: to the recycle bin, or destroyed.
import { z } from 'zod';
import { limits } from '../../../kernel/limits.ts';
import { DELETES, defineOperation } from '../../../kernel/operation.ts';
import { deleteMemory as remove } from '../rules/lifecycle.ts';
import { memoryIdField } from '../schema.ts';
import { callerOf, type MemoryDeps } from '../service.ts';

const input = z.strictObject({
  memory_id: memoryIdField,
  hard_delete: z
    .boolean()
    .default(false)
    .describe('Destroy at once and for ever, instead of 30 days in the recycle bin.'),
  reason: z.string().max(limits.reason_length_max_chars).optional().describe('Why; kept with it.'),
});

const output = z.object({
  memory_id: z.string().describe('Id of the memory.'),
  hard_deleted: z.boolean().describe('True where it cannot come back.'),
  recoverable_until: z.string().nullable().describe('Until then recover_deleted_memory brings it back.'),
});

export const deleteMemory = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'delete_memory',
  title: 'Delete memory',
  description:
    'Deletes a memory that is yours to change: to the recycle bin for 30 days, or with hard_delete destroyed with its versions and vectors.',
  toolset: 'lifecycle',
  input,
  output,
  effects: DELETES,
  permission: 'memory.delete',
  rest: { method: 'DELETE', path: '/memories/{memory_id}' },
  cli: { group: 'memory', verb: 'delete', positional: ['memory_id'] },
  examples: [
    { title: 'To the recycle bin', input: { memory_id: 'abc123', hard_delete: false, reason: 'No longer needed' } },
  ],
  async handle(deps, { memory_id, hard_delete, reason }, ctx) {
    const row = await remove(deps, memory_id, { hard: hard_delete, reason }, callerOf(ctx));
    return { memory_id, hard_deleted: hard_delete, recoverable_until: hard_delete ? null : row.purge_at };
  },
  text(out) {
    const text = out.hard_deleted
      ? `${out.memory_id} is destroyed.`
      : `${out.memory_id} is in the recycle bin until ${out.recoverable_until}.`;
    return [{ kind: 'text', text }];
  },
});
