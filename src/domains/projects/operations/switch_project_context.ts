// switch_project_context: the session works in a project from now on, or in none.
import { z } from 'zod';
import { idField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import type { ProjectDeps } from '../deps.ts';
import { briefText, projectLine, stored } from '../render.ts';
import { briefSchema, projectField, projectSchema } from '../schema.ts';
import { NO_PROJECT, switchProject } from '../switch.ts';

const input = z.strictObject({
  project_id: projectField.describe(`Id or exact name; "${NO_PROJECT}" leaves.`),
  agent_id: idField('You; another is refused.').optional(),
  reason: z.string().trim().max(limits.reason_length_max_chars).describe('Why; remembered.').optional(),
  max_tokens: z
    .number()
    .int()
    .min(limits.brief_tokens_min)
    .max(limits.answer_tokens_default)
    .default(limits.brief_tokens_default)
    .describe('Size of the brief.'),
});

const output = z.object({
  project: projectSchema.nullable().describe('Where the session works now; null: in no project.'),
  left_project_id: z.string().nullable().describe('Where it worked before.'),
  switched_at: z.string().describe('When.'),
  memory_id: z.string().nullable().describe('What is remembered of the switch.'),
  brief: briefSchema.nullable().describe('What there is to know.'),
});

export const switchProjectContext = defineOperation<ProjectDeps, typeof input, typeof output>({
  name: 'switch_project_context',
  title: 'Switch project',
  description:
    'This session works in a project from now on. Answers with a brief: open tasks, decisions, incidents, drift, knowledge.',
  toolset: 'projects',
  input,
  output,
  effects: WRITES,
  permission: 'project.write',
  rest: { method: 'POST', path: '/projects/{project_id}/context' },
  cli: { group: 'project', verb: 'switch', positional: ['project_id'] },
  examples: [
    { title: 'Begin', input: { project_id: 'proj_abc123', reason: 'Starting search optimization work' } },
    { title: 'Leave', input: { project_id: NO_PROJECT } },
  ],
  async handle(deps, { reason, ...asked }, ctx) {
    return switchProject(deps, { ...asked, ...(reason ? { reason } : {}) }, ctx);
  },
  text(out) {
    if (out.project === null) return [{ kind: 'text', text: 'This session works in no project now.' }];
    const head = `This session works in ${out.project.project_id} now.`;
    return [
      { kind: 'text', text: head },
      ...stored([projectLine(out.project)]),
      ...(out.brief ? briefText(out.brief) : []),
    ];
  },
});
