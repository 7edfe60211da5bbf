// create_project: a new project.
import { z } from 'zod';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import { createProject as create } from '../create.ts';
import type { ProjectDeps } from '../deps.ts';
import { projectLine, stored } from '../render.ts';
import { newProjectFields, oneProjectSchema } from '../schema.ts';

const input = z.strictObject(newProjectFields);

const output = oneProjectSchema;

export const createProject = defineOperation<ProjectDeps, typeof input, typeof output>({
  name: 'create_project',
  title: 'Create project',
  description: 'Creates a project, which tasks, memories and backups belong to. Enter it with switch_project_context.',
  toolset: 'projects',
  input,
  output,
  effects: WRITES,
  permission: 'project.write',
  rest: { method: 'POST', path: '/projects', also: ['/admin/api/projects'], status: 201 },
  cli: { group: 'project', verb: 'create', positional: ['name'] },
  examples: [
    {
      title: 'A project with an owner',
      input: {
        name: 'eWitness Search Optimization',
        description: 'Optimize Elasticsearch queries for better performance',
        owner_agent_id: 'elastic-specialist',
        project_type: 'optimization',
        priority: 'high',
        tags: 'elasticsearch,performance,search',
      },
    },
  ],
  async handle(deps, asked, ctx) {
    const project = await create(deps, asked, ctx);
    return { project_id: project.project_id, project };
  },
  text(out) {
    const how = `Work in it with switch_project_context project_id=${out.project_id}.`;
    return [{ kind: 'text', text: `Created project ${out.project_id}. ${how}` }, ...stored([projectLine(out.project)])];
  },
});
