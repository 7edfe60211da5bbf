// recover_deleted_memory: back from the recycle bin.
import { z } from 'zod';
import { defineOperation, UPDATES } from '../../../kernel/operation.ts';
import { recoverMemory } from '../rules/lifecycle.ts';
import { memoryIdField } from '../schema.ts';
import { callerOf, type MemoryDeps } from '../service.ts';

const input = z.strictObject({ memory_id: memoryIdField });

const output = z.object({
  memory_id: z.string().describe('Id of the memory.'),
  version: z.number().describe('Its version now.'),
  recovered_at: z.string().describe('When.'),
});

export const recoverDeletedMemory = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'recover_deleted_memory',
  title: 'Recover deleted memory',
  description:
    'Brings a memory back from the recycle bin as it was, within 30 days of its deletion. Also takes back the losing side of a merge.',
  toolset: 'lifecycle',
  input,
  output,
  effects: { ...UPDATES, destructive: false },
  permission: 'memory.delete',
  rest: { method: 'POST', path: '/memories/{memory_id}/recover' },
  cli: { group: 'memory', verb: 'recover', positional: ['memory_id'] },
  examples: [{ title: 'Undo a deletion', input: { memory_id: 'abc123' } }],
  async handle(deps, { memory_id }, ctx) {
    const row = await recoverMemory(deps, memory_id, callerOf(ctx));
    return { memory_id, version: row.version, recovered_at: row.updated_at };
  },
  text: (out) => [{ kind: 'text', text: `${out.memory_id} is back.` }],
});
