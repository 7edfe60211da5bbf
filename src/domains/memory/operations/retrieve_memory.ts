// retrieve_memory: one memory by id, with its history on request.
import { z } from 'zod';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { memoryNotFound } from '../errors.ts';
import { isVisibleTo } from '../filters.ts';
import { readSnapshot } from '../record.ts';
import { card, fieldLines } from '../render.ts';
import { listVersions } from '../repository.ts';
import { memoryIdField, memorySchema } from '../schema.ts';
import type { MemoryDeps } from '../service.ts';
import { recordFor } from '../shown.ts';

const input = z.strictObject({
  memory_id: memoryIdField,
  include_history: z.boolean().default(false).describe('Also its earlier versions.'),
});

const versionSchema = z.object({
  version: z.number().describe('Number of the version.'),
  change: z.string().describe('What ended it: update, undo, delete, recover, merge, superseded.'),
  changed_at: z.string().describe('When it ended.'),
  changed_by: z.string().describe('Who ended it.'),
  content: z.string().describe('What it said.'),
});

const output = memorySchema.extend({
  history: z.array(versionSchema).optional().describe('Earlier versions, newest first.'),
});

export const retrieveMemory = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'retrieve_memory',
  title: 'Retrieve memory',
  description:
    'Returns one memory by its id, whole, with all its fields; with include_history also what it said before each change.',
  toolset: 'memory',
  core: true,
  input,
  output,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/memories/{memory_id}' },
  cli: { group: 'memory', verb: 'get', positional: ['memory_id'] },
  examples: [{ title: 'Read a memory', input: { memory_id: 'abc123' } }],
  async handle({ store, hot }, { memory_id, include_history }, ctx) {
    const row = await hot.find(memory_id, ctx.principal);
    if (!row) throw memoryNotFound(memory_id);
    const record = await recordFor(store.db, row, ctx.principal);
    if (!include_history) return record;
    const versions = await listVersions(store.db, memory_id);
    // What a memory said while it was private, or in another team, stays there after it is shared.
    const history = versions.flatMap(({ snapshot, ...entry }) => {
      const { content, scope, team_id } = readSnapshot(snapshot);
      return isVisibleTo({ scope, team_id, user_id: row.user_id }, ctx.principal) ? [{ ...entry, content }] : [];
    });
    return { ...record, history };
  },
  text(out) {
    const history = (out.history ?? []).map(
      (entry) => `version ${entry.version}, until ${entry.changed_at} (${entry.change}): ${entry.content}`,
    );
    return [{ kind: 'stored', text: [card(out), ...fieldLines(out), ...history].join('\n') }];
  },
});
