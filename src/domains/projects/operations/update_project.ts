// update_project: what is known of a project changes, or where it stands.
import { z } from 'zod';
import { idField, metadataField, tagsField } from '../../../kernel/fields.ts';
import { defineOperation, UPDATES } from '../../../kernel/operation.ts';
import type { ProjectDeps } from '../deps.ts';
import { projectLine, stored } from '../render.ts';
import {
  oneProjectSchema,
  projectNameField,
  projectPriorityField,
  projectStatusField,
  projectTextField,
  projectTypeField,
  wipLimitsField,
} from '../schema.ts';
import { updateProject as update } from '../update.ts';

const input = z.strictObject({
  project_id: idField('Id of the project.'),
  name: projectNameField.optional(),
  description: projectTextField.optional(),
  status: projectStatusField.optional(),
  owner_agent_id: idField('Agent in charge.').optional(),
  project_type: projectTypeField.optional(),
  priority: projectPriorityField.optional(),
  tags: tagsField('Labels, all of them.').optional(),
  metadata: metadataField('Further facts, all of them.').optional(),
  wip_limits: wipLimitsField.optional(),
  expected_version: z.number().int().min(1).describe('Refused where it is at another.').optional(),
});

const output = oneProjectSchema;

export const updateProject = defineOperation<ProjectDeps, typeof input, typeof output>({
  name: 'update_project',
  title: 'Update project',
  description:
    'Changes a project: name, description, status, owner, priority, tags, metadata, limits of work in progress.',
  toolset: 'admin',
  input,
  output,
  effects: UPDATES,
  permission: 'project.write',
  audited: true,
  rest: { method: 'PATCH', path: '/projects/{project_id}' },
  cli: { group: 'project', verb: 'update', positional: ['project_id'] },
  examples: [
    {
      title: 'Less at once',
      input: { project_id: 'proj_abc123', priority: 'critical', wip_limits: { in_progress: 6, per_agent: 2 } },
    },
  ],
  async handle(deps, asked, ctx) {
    const project = await update(deps, asked, ctx);
    return { project_id: project.project_id, project };
  },
  text: (out) => [
    { kind: 'text', text: `Project ${out.project_id} is at version ${out.project.version}.` },
    ...stored([projectLine(out.project)]),
  ],
});
