// import_tasks: a board from elsewhere, or from another hub.
import { z } from 'zod';
import { idField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, UPDATES } from '../../../kernel/operation.ts';
import type { TaskDeps } from '../deps.ts';
import { placeFields } from '../schema.ts';
import { stored } from '../shown.ts';
import { importBoard } from '../transfer/import.ts';
import { FORMATS } from '../transfer/parse.ts';

const PROBLEMS_SHOWN_MAX_COUNT = 20;

const input = z.strictObject({
  content: z.string().min(1).max(limits.request_body_max_bytes).describe('The file.'),
  format: z.enum(FORMATS).describe('Default: recognised.').optional(),
  source: z
    .string()
    .regex(/^[\w.@:/ -]{1,200}$/, 'may hold letters, digits, blanks and . _ @ : / -')
    .describe('GitHub: owner/name of the repository. Markdown: name of the board.')
    .optional(),
  project_id: idField('Project; default: that of the file, else the one switched to.').optional(),
  ...placeFields,
});

const output = z.object({
  format: z.enum(FORMATS).describe('What it was read as.'),
  created: z.number().describe('New tasks.'),
  updated: z.number().describe('Brought up to date.'),
  unchanged: z.number().describe('As they were.'),
  skipped: z.number().describe('No work, or gone in the source.'),
  failed: z.number().describe('Not imported.'),
  problems: z
    .array(
      z.object({
        line: z.number().optional().describe('Line of the file.'),
        item: z.string().optional().describe('Which one.'),
        message: z.string().describe('What is wrong.'),
      }),
    )
    .describe('Everything that was not taken as it stands.'),
});

export const importTasks = defineOperation<TaskDeps, typeof input, typeof output>({
  name: 'import_tasks',
  title: 'Import tasks',
  description:
    "Imports a board: beads' JSON Lines, GitHub issues as JSON, Markdown or an export. Again, it updates what the source changed and keeps what was changed here.",
  toolset: 'admin',
  input,
  output,
  effects: UPDATES,
  permission: 'task.write',
  rest: { method: 'POST', path: '/tasks/import' },
  cli: { group: 'tasks', verb: 'import-text', positional: ['content'] },
  examples: [
    { title: 'A board in Markdown', input: { content: '## To do\n- [ ] Tune shards !high', format: 'markdown' } },
  ],
  async handle(deps, wanted, ctx) {
    const report = await importBoard(deps, ctx, wanted);
    return {
      ...report,
      problems: report.problems.map(({ line, item, message }) => ({
        ...(line === undefined ? {} : { line }),
        ...(item === undefined ? {} : { item }),
        message,
      })),
    };
  },
  text({ format, created, updated, unchanged, skipped, failed, problems }) {
    const counts = `${created} created, ${updated} updated, ${unchanged} unchanged, ${skipped} skipped, ${failed} failed (${format})`;
    const lines = problems.slice(0, PROBLEMS_SHOWN_MAX_COUNT).map(({ line, item, message }) => {
      const place = [line === undefined ? undefined : `line ${line}`, item].filter((part) => part !== undefined);
      return `${place.join(', ')}: ${message}`;
    });
    return [{ kind: 'text', text: `${counts}. Problems: ${problems.length}.` }, ...stored(lines)];
  },
});
