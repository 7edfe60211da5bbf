// export_tasks: a board for people (Markdown) or for another hub (JSON Lines).
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import { cursorField, idField, nextCursorField } from '../../../kernel/fields.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import type { TaskDeps } from '../deps.ts';
import { exportJson, exportMarkdown } from '../transfer/export.ts';

const input = z.strictObject({
  format: z.enum(['json', 'markdown']).default('json').describe('For hubs or for people.'),
  project_id: idField('Only this project.').optional(),
  limit: z.number().int().min(1).max(2_000).default(500).describe('Tasks of a page of JSON.'),
  cursor: cursorField,
});

const output = z.object({
  content: z.string().describe('The text, or its next part.'),
  tasks: z.number().describe('Tasks in it.'),
  next_cursor: nextCursorField,
});

export const exportTasks = defineOperation<TaskDeps, typeof input, typeof output>({
  name: 'export_tasks',
  title: 'Export tasks',
  description:
    'Writes the tasks you may see as Markdown in the order of work, or as JSON Lines that import_tasks reads. Parts of one export are one text together.',
  toolset: 'admin',
  input,
  output,
  effects: READS,
  permission: 'task.read',
  rest: { method: 'GET', path: '/tasks/export' },
  cli: { group: 'tasks', verb: 'export-text' },
  examples: [{ title: 'The board as Markdown', input: { format: 'markdown' } }],
  async handle(deps, { format, project_id, limit, cursor }, ctx) {
    // An id ends a page of JSON, an offset a part of Markdown.
    const [after, from] = cursor === undefined ? [undefined, 0] : (decodeCursor(cursor, 2) as [string, number]);
    const now = toIso(deps.store.clock.now());
    if (format === 'markdown') {
      const { next, ...part } = await exportMarkdown(deps, ctx, { project_id, from }, now);
      return { ...part, next_cursor: next === undefined ? null : encodeCursor(['', next]) };
    }
    const { next, ...page } = await exportJson(deps, ctx, { project_id, limit, after }, now);
    return { ...page, next_cursor: next === undefined ? null : encodeCursor([next, 0]) };
  },
  text: ({ content }) => [{ kind: 'stored', text: content }],
});
