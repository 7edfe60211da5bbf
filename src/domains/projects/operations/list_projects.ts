// list_projects: the projects the caller may see.
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import { cursorField, idField, limitField, nextCursorField, tagsField, unlisted } from '../../../kernel/fields.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import type { ProjectDeps } from '../deps.ts';
import { listProjects as list } from '../list.ts';
import { projectLine, stored } from '../render.ts';
import { projectSchema, projectStatusField, projectTypeField } from '../schema.ts';

const input = z.strictObject({
  status_filter: projectStatusField.optional(),
  owner_filter: idField('Agent in charge.').optional(),
  project_type_filter: projectTypeField.optional(),
  tags: tagsField('All of these.').optional(),
  project_id: unlisted(idField('This one alone.').optional()),
  limit: limitField(),
  cursor: cursorField,
});

const listed = projectSchema.extend({
  open_tasks: z.number().nullable().describe('Tasks that are not over; null where you may not read tasks.'),
  active: z.boolean().describe('This session works in it.'),
});

const output = z.object({ projects: z.array(listed).describe('Newest first.'), next_cursor: nextCursorField });

export const listProjects = defineOperation<ProjectDeps, typeof input, typeof output>({
  name: 'list_projects',
  title: 'List projects',
  description: 'Lists projects you may see, newest first, with their open tasks counted.',
  toolset: 'projects',
  input,
  output,
  effects: READS,
  permission: 'project.read',
  rest: { method: 'GET', path: '/projects', also: ['/admin/api/projects'] },
  cli: {
    group: 'project',
    verb: 'list',
    table: { rows: 'projects', columns: ['project_id', 'name', 'status', 'priority', 'open_tasks', 'owner_agent_id'] },
  },
  examples: [
    {
      title: 'What is being optimized',
      input: { status_filter: 'active', project_type_filter: 'optimization', limit: 10 },
    },
  ],
  async handle(deps, { cursor, limit, ...filter }, ctx) {
    const before = cursor === undefined ? undefined : String(decodeCursor(cursor, 2)[0]);
    const rows = await list(deps, { ...filter, limit: limit + 1, before }, ctx);
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return {
      projects: page.map((project) => ({ ...project, active: project.project_id === ctx.project?.project_id })),
      next_cursor: last ? encodeCursor([last.project_id, 0]) : null,
    };
  },
  text(out) {
    if (out.projects.length === 0) return [{ kind: 'text', text: 'No project fits. create_project makes one.' }];
    const more = out.next_cursor === null ? '' : ` More with cursor=${out.next_cursor}`;
    const lines = out.projects.map((project) => {
      const open = project.open_tasks === null ? '' : `, open tasks ${project.open_tasks}`;
      return `${projectLine(project)}${open}${project.active ? ', this session works in it' : ''}`;
    });
    return [{ kind: 'text', text: `Projects: ${out.projects.length}.${more}` }, ...stored(lines)];
  },
});
