// list_memory_sources: which machines the memories come from.
import { z } from 'zod';
import { limitField } from '../../../kernel/fields.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { reachIn } from '../reach.ts';
import { plural } from '../render.ts';
import { machines } from '../rules/stats.ts';
import { categoryField, scopesField } from '../schema.ts';
import type { MemoryDeps } from '../service.ts';

const input = z.strictObject({
  category: categoryField.optional(),
  scope: scopesField.optional(),
  limit: limitField(),
});

const output = z.object({
  sources: z
    .array(
      z.object({
        machine_id: z.string().describe('Machine.'),
        memories: z.number().describe('Memories written there.'),
        agents: z.number().describe('Agents that wrote there.'),
        categories: z.array(z.string()).describe('Their categories.'),
        first_at: z.string().describe('First stored.'),
        last_at: z.string().describe('Last stored.'),
      }),
    )
    .describe('Machines, most memories first.'),
});

export const listMemorySources = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'list_memory_sources',
  title: 'Memory sources',
  description: 'Lists the machines that wrote the memories, with counts, agents, categories and times.',
  toolset: 'memory',
  core: true,
  input,
  output,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/memories/sources' },
  cli: {
    group: 'memory',
    verb: 'sources',
    table: { rows: 'sources', columns: ['machine_id', 'memories', 'agents', 'last_at'] },
  },
  examples: [{ title: 'All machines', input: {} }],
  async handle({ store }, { category, scope, limit }, ctx) {
    const filter = { ...reachIn(ctx, scope), ...(category ? { category: [category] } : {}) };
    const rows = await machines(store, filter, ctx.principal, limit);
    return { sources: rows.map((row) => ({ ...row, categories: row.categories.split(',').sort() })) };
  },
  text(out) {
    const lines = out.sources.map(
      (row) =>
        `${row.machine_id}: ${plural(row.memories, 'memory', 'memories')}, ${plural(row.agents, 'agent')}, ${row.first_at} to ${row.last_at}: ${row.categories.join(', ')}`,
    );
    return [{ kind: 'text', text: lines.length > 0 ? lines.join('\n') : 'No memories yet.' }];
  },
});
