// claim_next: the most urgent task the caller can take, or a certain one.
import { z } from 'zod';
import { idField, tagsField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import { beforeSchema, handoverOf, notesSchema } from '../claims/handover.ts';
import { claimNext as claim } from '../claims/next.ts';
import { neededLines, waitingSchema, whatWaits, whyNothing } from '../claims/nothing.ts';
import type { TaskDeps } from '../deps.ts';
import { toTask } from '../record.ts';
import { capabilitiesField, taskIdField, taskSchema } from '../schema.ts';
import { RELATED_DEFAULT, relatedField, relatedLines, relatedTo, stored, taskLine } from '../shown.ts';

const input = z.strictObject({
  project_id: idField('Only of this project.').optional(),
  tags: tagsField('Only with all of these.').optional(),
  capabilities: capabilitiesField.describe('What you can do; default: as registered.').optional(),
  lease_seconds: z
    .number()
    .int()
    .min(1)
    .max(limits.task_lease_max_seconds)
    .describe('Claim ends after this silence.')
    .optional(),
  task_id: taskIdField.describe('This one; also your own again.').optional(),
});

const output = z.object({
  task: taskSchema.nullable().describe('The task, now yours; null: there is none for you.'),
  fencing_token: z.number().nullable().describe('Send it with every update of the task.'),
  lease_expires_at: z.string().nullable().describe('The claim ends then; null: not by itself.'),
  renew: z.string().nullable().describe('How to keep it.'),
  why: z.string().nullable().describe('Why there is none.'),
  others: waitingSchema.nullable().describe('What there is besides, where there is none for you.'),
  before: beforeSchema,
  notes: notesSchema,
  related: relatedField,
});

export const claimNext = defineOperation<TaskDeps, typeof input, typeof output>({
  name: 'claim_next',
  title: 'Claim next task',
  description:
    'Takes the most urgent ready task you can do, for you alone. Returns its fencing_token, what came before and what is known.',
  toolset: 'tasks',
  input,
  output,
  effects: WRITES,
  permission: 'task.write',
  rest: { method: 'POST', path: '/tasks/claim' },
  cli: { group: 'tasks', verb: 'claim', positional: ['task_id'] },
  examples: [
    { title: 'Whatever is most urgent', input: {} },
    { title: 'With what this agent can do', input: { capabilities: ['elasticsearch_ops'], lease_seconds: 600 } },
  ],
  async handle(deps, request, ctx) {
    const claimed = await claim(deps, ctx, request);
    if (claimed.row === undefined) {
      const capabilities = request.capabilities ?? deps.agents.capabilitiesOf(ctx);
      const others = await whatWaits(deps.store.db, ctx, { ...request, capabilities }, claimed);
      const nothing = { task: null, fencing_token: null, lease_expires_at: null, renew: null };
      return { ...nothing, why: whyNothing(others, claimed), others, before: [], notes: [], related: [] };
    }
    const { row } = claimed;
    const { fencing_token, lease_expires_at, lease_seconds } = row;
    return {
      task: toTask(row),
      ...{ fencing_token, lease_expires_at },
      renew: renewal(lease_seconds),
      ...{ why: null, others: null },
      ...(await handoverOf(deps.store.db, row.task_id, ctx.principal)),
      related: await relatedTo(deps, row, ctx, RELATED_DEFAULT),
    };
  },
  text({ task, fencing_token, lease_expires_at, renew, why, others, before, notes, related }) {
    if (task === null) return [{ kind: 'text', text: why ?? '' }, ...stored(others ? neededLines(others) : [])];
    const until = lease_expires_at === null ? '' : ` until ${lease_expires_at}`;
    const lines = [
      taskLine(task),
      ...(task.description === '' ? [] : [task.description]),
      ...(before.length > 0 ? ['Before it:'] : []),
      ...before.map(({ task_id, title, status, resolution }) => `${task_id} ${title} [${status}] ${resolution ?? ''}`),
      ...(notes.length > 0 ? ['Said about it:'] : []),
      ...notes.map(({ at, agent_id, comment }) => `${at} ${agent_id}: ${comment}`),
      ...(related.length > 0 ? ['Related:', ...relatedLines(related)] : []),
    ];
    return [
      { kind: 'text', text: `${task.task_id} is yours${until}, fencing_token ${fencing_token}. ${renew}` },
      ...stored(lines),
    ];
  },
});

function renewal(lease_seconds: number | null): string {
  if (lease_seconds === null) return 'It stays yours until you move it on.';
  return `Calls of this session keep it; so does update_kanban_task with task_id and fencing_token, within ${lease_seconds} s.`;
}
