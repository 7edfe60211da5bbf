// get_project_memories: what is known about one project.
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import { failure } from '../../../kernel/errors.ts';
import { cursorField, idField, limitField, nameField, nextCursorField } from '../../../kernel/fields.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { seen } from '../filters.ts';
import { reachIn } from '../reach.ts';
import { listText, plural } from '../render.ts';
import { listRows } from '../repository.ts';
import { categoryField, memorySchema, scopesField } from '../schema.ts';
import type { MemoryDeps } from '../service.ts';
import { recordsFor } from '../shown.ts';

const input = z.strictObject({
  project: nameField('Name; default: the project the caller works in.').optional(),
  project_id: idField('Id of the project, instead of its name.').optional(),
  category: categoryField.optional(),
  scope: scopesField.optional(),
  limit: limitField(50),
  cursor: cursorField,
});

const output = z.object({
  project: z.string().describe('Name or id of the project.'),
  memories: z.array(memorySchema).describe('Newest first.'),
  next_cursor: nextCursorField,
});

export const getProjectMemories = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'get_project_memories',
  title: 'Project memories',
  description:
    'Lists everything stored for a project, newest first, page by page. Without a name: the project of the directory the caller works in.',
  toolset: 'memory',
  core: true,
  input,
  output,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/projects/memories' },
  cli: {
    group: 'memory',
    verb: 'project',
    positional: ['project'],
    table: { rows: 'memories', columns: ['memory_id', 'created_at', 'category', 'content'] },
  },
  examples: [{ title: 'A project by name', input: { project: 'checkout', limit: 20 } }],
  async handle({ store }, { project, category, scope, limit, cursor, ...wanted }, ctx) {
    const project_id = wanted.project_id ?? (project === undefined ? ctx.project?.project_id : undefined);
    const name = project ?? (project_id === undefined ? ctx.session.project : undefined);
    if (name === undefined && project_id === undefined) {
      throw failure(
        'invalid_input',
        'get_project_memories: this session works in no project.',
        'Give project or project_id.',
      );
    }
    const filter = {
      ...reachIn(ctx, scope),
      ...(name === undefined ? {} : { project: name }),
      ...(project_id === undefined ? {} : { project_id }),
      ...(category ? { category: [category] } : {}),
    };
    const after = cursor === undefined ? undefined : (decodeCursor(cursor, 2) as [string, number]);
    const rows = await listRows(store.db, (eb) => seen(eb, filter, ctx.principal), {
      limit: limit + 1,
      ...(after ? { after } : {}),
    });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      project: project_id ?? name ?? '',
      memories: await recordsFor(store.db, page, ctx.principal),
      next_cursor: last ? encodeCursor([last.created_at, last.row_id]) : null,
    };
  },
  text: (out) =>
    listText(`${plural(out.memories.length, 'memory', 'memories')} of ${out.project}.`, out.memories, out.next_cursor),
});
