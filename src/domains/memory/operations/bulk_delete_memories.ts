// bulk_delete_memories: delete by filter, after showing what would go.
import { z } from 'zod';
import { failure } from '../../../kernel/errors.ts';
import { idField, nameField, tagsField, timeField } from '../../../kernel/fields.ts';
import { limits } from '../../../kernel/limits.ts';
import { DELETES, defineOperation } from '../../../kernel/operation.ts';
import type { MemoryFilter } from '../filters.ts';
import { reachIn } from '../reach.ts';
import { listText, plural, summarise } from '../render.ts';
import { bulkDelete, previewBulk } from '../rules/lifecycle.ts';
import { categoryField } from '../schema.ts';
import { callerOf, type MemoryDeps } from '../service.ts';

const SAMPLE_COUNT = 20;

const input = z.strictObject({
  category: categoryField.optional(),
  project: nameField('Only this project.').optional(),
  project_id: idField('Only this project, by id.').optional(),
  session_id: idField('Only this session.').optional(),
  machine_id: nameField('Only from this machine.').optional(),
  tags: tagsField('Only with any of these tags.').optional(),
  date_from: timeField('Only stored from this time on.').optional(),
  date_to: timeField('Only stored before this time.').optional(),
  hard_delete: z.boolean().default(false).describe('Destroy instead of 30 days in the recycle bin.'),
  confirm: z.boolean().default(false).describe('Without it nothing is deleted and the answer shows what would go.'),
  reason: z.string().max(limits.reason_length_max_chars).optional().describe('Why; kept with each.'),
});

const output = z.object({
  deleted: z.boolean().describe('False: this was the preview.'),
  count: z.number().describe('Memories deleted, or that would be.'),
  more: z.boolean().describe('True where more match than one call takes; call again.'),
  sample: z
    .array(
      z.object({
        memory_id: z.string().describe('Id.'),
        category: z.string().describe('Category.'),
        created_at: z.string().describe('Stored.'),
        content: z.string().describe('Beginning of the text.'),
      }),
    )
    .describe('The first of them.'),
  hint: z.string().nullable().describe('What to do next.'),
});

export const bulkDeleteMemories = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'bulk_delete_memories',
  title: 'Bulk delete memories',
  description:
    'Deletes the memories that pass the filters (at least one is needed), are in reach of the mode and yours to change: your own, in team mode those of the team that you moderate. Without confirm=true it deletes nothing and answers with what would go.',
  toolset: 'lifecycle',
  input,
  output,
  effects: DELETES,
  permission: 'memory.delete',
  rest: { method: 'POST', path: '/memories/bulk-delete' },
  cli: {
    group: 'memory',
    verb: 'bulk-delete',
    table: { rows: 'sample', columns: ['memory_id', 'category', 'created_at', 'content'] },
  },
  examples: [
    {
      title: 'Preview old incidents',
      input: { category: 'incidents', date_to: '2024-01-01', hard_delete: false, reason: 'Archive old incidents' },
    },
  ],
  async handle(deps, { hard_delete, confirm, reason, ...filters }, ctx) {
    if (Object.values(filters).every((value) => value === undefined || (Array.isArray(value) && value.length === 0))) {
      throw failure(
        'invalid_input',
        'bulk_delete_memories: no filter was given.',
        'Give at least one of category, project, tags, date_from, date_to, session_id, machine_id.',
      );
    }
    const options = { hard: hard_delete, reason, sample_count: SAMPLE_COUNT, signal: ctx.signal };
    const filter = { ...toFilter(filters), ...reachIn(ctx, undefined) };
    const { count, sample } = confirm
      ? await bulkDelete(deps, filter, options, callerOf(ctx))
      : await previewBulk(deps, filter, SAMPLE_COUNT, callerOf(ctx));
    const shown = sample.map(({ memory_id, category, created_at, content }) => {
      return { memory_id, category, created_at, content: summarise(content) };
    });
    const hint = confirm ? null : 'Call again with the same filters and confirm=true to delete them.';
    return { deleted: confirm, count, more: count === limits.bulk_max_items, sample: shown, hint };
  },
  text(out) {
    const verb = out.deleted ? 'deleted' : 'would be deleted';
    return listText(
      `${plural(out.count, 'memory', 'memories')} ${verb}. ${out.hint ?? ''}`.trim(),
      out.sample as never,
    );
  },
});

type Filters = Omit<z.output<typeof input>, 'hard_delete' | 'confirm' | 'reason'>;

function toFilter(filters: Filters): MemoryFilter {
  const { category, machine_id, tags, date_from, date_to, project, project_id, session_id } = filters;
  return {
    ...(category ? { category: [category] } : {}),
    ...(machine_id ? { machine_id: [machine_id] } : {}),
    ...(tags?.length ? { tags_any: tags } : {}),
    ...(date_from ? { created_from: date_from } : {}),
    ...(date_to ? { created_to: date_to } : {}),
    ...(project ? { project } : {}),
    ...(project_id ? { project_id } : {}),
    ...(session_id ? { session_id } : {}),
  };
}
