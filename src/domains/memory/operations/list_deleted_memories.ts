// list_deleted_memories: the recycle bin.

import { sql } from 'kysely';
import { z } from 'zod';
import { toIso } from '../../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import { cursorField, limitField, nextCursorField } from '../../../kernel/fields.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { changeableBy } from '../filters.ts';
import { listText, plural, summarise } from '../render.ts';
import type { MemoryDeps } from '../service.ts';
import { visibleIds } from '../shown.ts';

const input = z.strictObject({ limit: limitField(), cursor: cursorField });

const output = z.object({
  memories: z
    .array(
      z.object({
        memory_id: z.string().describe('Id.'),
        content: z.string().describe('Beginning of the text.'),
        category: z.string().describe('Category.'),
        deleted_at: z.string().describe('When.'),
        deleted_by: z.string().nullable().describe('By whom.'),
        reason: z.string().nullable().describe('Why.'),
        merged_into: z.string().nullable().describe('Memory it was merged into.'),
        recoverable_until: z.string().nullable().describe('When it is destroyed.'),
      }),
    )
    .describe('Latest deletion first.'),
  next_cursor: nextCursorField,
});

export const listDeletedMemories = defineOperation<MemoryDeps, typeof input, typeof output>({
  name: 'list_deleted_memories',
  title: 'Deleted memories',
  description:
    'Lists the memories in the recycle bin that you can recover (your own, and those of teams you moderate), with reason and the time until which each can be recovered.',
  toolset: 'lifecycle',
  input,
  output,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/memories/deleted' },
  cli: {
    group: 'memory',
    verb: 'deleted',
    table: { rows: 'memories', columns: ['memory_id', 'deleted_at', 'reason', 'content'] },
  },
  examples: [{ title: 'The recycle bin', input: { limit: 20 } }],
  async handle({ store }, { limit, cursor }, { principal }) {
    let query = store.db
      .selectFrom('memories')
      .selectAll()
      .where('deleted_at', 'is not', null)
      .where('purge_at', '>', toIso(store.clock.now()))
      .where((eb) => changeableBy(eb, principal));
    if (cursor !== undefined) {
      const [deleted_at, row_id] = decodeCursor(cursor, 2);
      query = query.where(sql<boolean>`(deleted_at, row_id) < (${deleted_at}, ${row_id})`);
    }
    const rows = await query
      .orderBy('deleted_at', 'desc')
      .orderBy('row_id', 'desc')
      .limit(limit + 1)
      .execute();
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    const joined = await visibleIds(
      store.db,
      page.map((row) => row.merged_into),
      principal,
    );
    const memories = page.map((row) => ({
      memory_id: row.memory_id,
      content: summarise(row.content),
      category: row.category,
      deleted_at: row.deleted_at ?? '',
      deleted_by: row.deleted_by,
      reason: row.delete_reason,
      merged_into: row.merged_into !== null && joined.has(row.merged_into) ? row.merged_into : null,
      recoverable_until: row.purge_at,
    }));
    return { memories, next_cursor: last ? encodeCursor([last.deleted_at ?? '', last.row_id]) : null };
  },
  text(out) {
    const sentence = `${plural(out.memories.length, 'memory', 'memories')} in the recycle bin.`;
    const rows = out.memories.map(({ reason, recoverable_until, ...memory }) => ({
      ...memory,
      context: [`deleted ${memory.deleted_at}, recoverable until ${recoverable_until}`, reason ?? ''].join(' ').trim(),
    }));
    return listText(sentence, rows as never, out.next_cursor);
  },
});
