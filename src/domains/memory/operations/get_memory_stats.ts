// get_memory_stats: how much is stored, of what kind, and how current the indexes are.
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { idField, nameField } from '../../../kernel/fields.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { reachIn } from '../reach.ts';
import { plural } from '../render.ts';
import { countBy, deletedCount, pendingCount, topTags, totals } from '../rules/stats.ts';
import { scopesField } from '../schema.ts';
import type { MemoryDeps } from '../service.ts';

const counts = (what: string) => z.record(z.string(), z.number()).describe(`Memories by ${what}.`);

const input = z.strictObject({
  project: nameField('Only this project.').optional(),
  project_id: idField('Only this project, by id.').optional(),
  scope: scopesField.optional(),
});

const output = z.object({
  total: z.number().describe('Living memories in reach of the mode, or of the scopes asked for.'),
  deleted: z.number().describe('Memories in the recycle bin that you can recover.'),
  content_chars: z.number().describe('Characters of text.'),
  oldest: z.string().nullable().describe('First stored.'),
  newest: z.string().nullable().describe('Last stored.'),
  by_category: counts('category'),
  by_scope: counts('scope'),
  by_project: counts('project; empty name: none'),
  by_machine: counts('machine'),
  by_agent: counts('agent'),
  by_format: counts('format version'),
  by_source: counts('source'),
  top_tags: counts('tag, most used'),
  vectors_pending: z.number().describe('Memories found by their words only until their vector is made.'),
});

export const getMemoryStats = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'get_memory_stats',
  title: 'Memory statistics',
  description:
    'Counts memories by category, scope, project, machine, agent, format and tag, and says how current the search indexes are.',
  toolset: 'memory',
  core: true,
  input,
  output,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/memories/stats' },
  cli: { group: 'memory', verb: 'stats' },
  examples: [{ title: 'Everything', input: {} }],
  async handle({ store }, { project, project_id, scope }, ctx) {
    const { principal } = ctx;
    const filter = { ...reachIn(ctx, scope), ...(project ? { project } : {}), ...(project_id ? { project_id } : {}) };
    const by = (column: Parameters<typeof countBy>[1]) => countBy(store.db, column, filter, principal);
    return {
      ...(await totals(store.db, filter, principal)),
      deleted: await deletedCount(store.db, principal, toIso(store.clock.now())),
      by_category: await by('category'),
      by_scope: await by('scope'),
      by_project: await by('project'),
      by_machine: await by('machine_id'),
      by_agent: await by('agent_id'),
      by_format: await by('format_version'),
      by_source: await by('source'),
      top_tags: await topTags(store.db, filter, principal, 20),
      vectors_pending: await pendingCount(store.db, filter, principal),
    };
  },
  text(out) {
    const total = `${plural(out.total, 'memory', 'memories')}, ${out.deleted} in the recycle bin.`;
    const { oldest, newest, content_chars, vectors_pending } = out;
    if (out.total === 0) return [{ kind: 'text', text: total }];
    const span = `${content_chars} characters, ${oldest} to ${newest}; ${vectors_pending} wait for their vector.`;
    // Names of projects, agents, tags come from writers, so the counts are stored data.
    return [
      { kind: 'text', text: `${total}\n${span}` },
      { kind: 'stored', text: countLines(out).join('\n') },
    ];
  },
});

/** The counts of an answer, a line for each thing counted by. */
function countLines(out: z.output<typeof output>): string[] {
  return Object.entries(out).flatMap(([by, counted]) => {
    if (typeof counted !== 'object' || counted === null || Object.keys(counted).length === 0) return [];
    const each = Object.entries(counted).map(([name, count]) => `${name === '' ? '(none)' : name} ${count}`);
    return [`${by}: ${each.join(', ')}`];
  });
}
