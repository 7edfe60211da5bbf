// get_recent_memories: what was learned lately.
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import { cursorField, limitField, nameField, nextCursorField, sinceField } from '../../../kernel/fields.ts';
import { resolveSince } from '../../../kernel/moments.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { seen } from '../filters.ts';
import { reachIn } from '../reach.ts';
import { listText, plural } from '../render.ts';
import { listRows } from '../repository.ts';
import { categoryField, memorySchema, scopesField } from '../schema.ts';
import type { MemoryDeps } from '../service.ts';
import { recordsFor } from '../shown.ts';

const input = z.strictObject({
  hours: z.number().positive().max(87_600).default(24).describe('How far back.'),
  since: sinceField('Instead of hours: span (7d) or ISO time.').optional(),
  category: categoryField.optional(),
  scope: scopesField.optional(),
  project: nameField('Only this project.').optional(),
  limit: limitField(),
  cursor: cursorField,
});

const output = z.object({ memories: z.array(memorySchema).describe('Newest first.'), next_cursor: nextCursorField });

export const getRecentMemories = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'get_recent_memories',
  title: 'Recent memories',
  description: 'Lists what was stored within the last hours (24 unless said), newest first, page by page.',
  toolset: 'memory',
  core: true,
  input,
  output,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/memories/recent' },
  cli: {
    group: 'memory',
    verb: 'recent',
    table: { rows: 'memories', columns: ['memory_id', 'created_at', 'category', 'content'] },
  },
  examples: [{ title: 'The last two days', input: { hours: 48 } }],
  async handle({ store }, { hours, since, category, scope, project, limit, cursor }, ctx) {
    const now_ms = store.clock.now();
    const created_from =
      since === undefined ? new Date(now_ms - hours * 3_600_000).toISOString() : resolveSince(since, now_ms);
    const filter = {
      created_from,
      ...reachIn(ctx, scope),
      ...(category ? { category: [category] } : {}),
      ...(project ? { project } : {}),
    };
    const after = cursor === undefined ? undefined : (decodeCursor(cursor, 2) as [string, number]);
    const rows = await listRows(store.db, (eb) => seen(eb, filter, ctx.principal), {
      limit: limit + 1,
      ...(after ? { after } : {}),
    });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    const memories = await recordsFor(store.db, page, ctx.principal);
    return { memories, next_cursor: last ? encodeCursor([last.created_at, last.row_id]) : null };
  },
  text: (out) =>
    listText(`${plural(out.memories.length, 'recent memory', 'recent memories')}.`, out.memories, out.next_cursor),
});
