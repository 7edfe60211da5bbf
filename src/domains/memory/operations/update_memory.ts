// update_memory: change fields of a memory, or take the latest change back.
import { z } from 'zod';
import { failure } from '../../../kernel/errors.ts';
import { defineOperation, UPDATES } from '../../../kernel/operation.ts';
import { secretsHint } from '../render.ts';
import { type CLEARABLE_FIELDS, changeMemory, type MemoryPatch, undoChange } from '../rules/change.ts';
import { memoryIdField, newMemoryFields } from '../schema.ts';
import { callerOf, type MemoryDeps } from '../service.ts';

const { supersedes: _supersedes, ...changeable } = newMemoryFields;
const patchFields = {
  ...z.object(changeable).partial().shape,
  category: newMemoryFields.category.unwrap().optional(),
  context: newMemoryFields.context.nullable(),
  project: newMemoryFields.project.nullable(),
  project_id: newMemoryFields.project_id.nullable(),
  session_id: newMemoryFields.session_id.nullable(),
  sequence: newMemoryFields.sequence.nullable(),
  occurred_at: newMemoryFields.occurred_at.nullable(),
  valid_from: newMemoryFields.valid_from.nullable(),
  valid_until: newMemoryFields.valid_until.nullable(),
} satisfies Record<(typeof CLEARABLE_FIELDS)[number], unknown> & Record<string, unknown>;

const input = z.strictObject({
  memory_id: memoryIdField,
  ...patchFields,
  replace_metadata: z
    .boolean()
    .default(false)
    .describe('Replace metadata instead of merging into it (null removes a key).'),
  expected_version: z.number().int().min(1).optional().describe('Refuse if somebody changed it since this version.'),
  undo: z.boolean().default(false).describe('Take the latest change back instead; give no field to change.'),
});

const output = z.object({
  memory_id: z.string().describe('Id of the memory.'),
  version: z.number().describe('Its version now.'),
  changed_fields: z.array(z.string()).describe('What changed.'),
  updated_at: z.string().describe('When.'),
  redacted: z.array(z.string()).describe('Kinds of secrets that were replaced by markers.'),
  hint: z.string().nullable().describe('Where to keep them.'),
});

export const updateMemory = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'update_memory',
  title: 'Update memory',
  description:
    'Changes the given fields of a memory that is yours to change: content, tags, context, category, metadata and the rest. null clears a field. Earlier versions are kept; undo=true takes the latest change back. Metadata is merged unless replace_metadata is set.',
  toolset: 'memory',
  core: true,
  input,
  output,
  effects: UPDATES,
  permission: 'memory.write',
  rest: { method: 'PATCH', path: '/memories/{memory_id}' },
  cli: { group: 'memory', verb: 'update', positional: ['memory_id'] },
  examples: [
    {
      title: 'Correct a memory',
      input: { memory_id: 'abc123', content: 'Updated content with corrections', tags: ['verified'] },
    },
  ],
  async handle(deps, { memory_id, replace_metadata, expected_version, undo, ...patch }, ctx) {
    const given = Object.values(patch).some((value) => value !== undefined);
    if (undo && given)
      throw failure(
        'invalid_input',
        'update_memory: undo takes no other field.',
        'Send undo=true alone, or the fields alone.',
      );
    if (!undo && !given)
      throw failure(
        'invalid_input',
        'update_memory: no field to change was given.',
        'Give at least one of content, tags, context, category, metadata.',
      );
    if (undo) {
      const row = await undoChange(deps, memory_id, callerOf(ctx), expected_version);
      return {
        memory_id,
        version: row.version,
        changed_fields: ['undo'],
        updated_at: row.updated_at,
        redacted: [],
        hint: null,
      };
    }
    const options = { expected_version, merge_metadata: !replace_metadata };
    const { row, changed_fields, redacted } = await changeMemory(
      deps,
      memory_id,
      patch as MemoryPatch,
      callerOf(ctx),
      options,
    );
    return {
      memory_id,
      version: row.version,
      changed_fields: [...changed_fields],
      updated_at: row.updated_at,
      redacted: [...redacted],
      hint: secretsHint(redacted),
    };
  },
  text(out) {
    const what = out.changed_fields.length > 0 ? out.changed_fields.join(', ') : 'nothing: it said so already';
    return [
      {
        kind: 'text',
        text: `${out.memory_id} is at version ${out.version}; changed: ${what}. ${out.hint ?? ''}`.trim(),
      },
    ];
  },
});
