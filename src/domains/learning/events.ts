// SQL of learning events: reported in the transaction of what happened, claimed by one process at a time, removed when
// their memory is stored.
//
// An event stays until a process that held its claim has stored its memory; storing it twice makes one memory, because
// the event's id is its external id. A claim that its process outlived is void: somebody else makes the memory then.
import { type Selectable, sql } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { Database } from '../../storage/database.ts';
import type { LearningEventTable, LearningTables } from './tables.ts';
import type { LearningEvent, LearningTrx } from './types.ts';

export type LearningStore = Database<LearningTables>;
export type EventRow = Selectable<LearningEventTable>;

/** What of an event the memory is made of. */
export type EventPayload = Pick<LearningEvent, 'title' | 'content' | 'category' | 'tags' | 'importance' | 'facts'>;

/** Adds an event that is this process's to settle until `own_until_ms`. Returns its id. */
export async function addEvent(
  trx: LearningTrx,
  actor: Principal,
  event: LearningEvent,
  now_ms: number,
  own_until_ms: number,
): Promise<string> {
  const { kind, entity, entity_id, place, project_id, title, content, category, tags, importance, facts } = event;
  const payload: EventPayload = { title, content, category, tags, importance, facts };
  const { user_id, agent_id, machine_id } = actor;
  const event_id = newId('evt', now_ms);
  await trx
    .insertInto('learning_events')
    .values({
      ...{ event_id, kind, entity, entity_id, project_id, user_id, agent_id, machine_id },
      scope: place.scope,
      team_id: place.team_id,
      payload: JSON.stringify(payload),
      created_at: toIso(now_ms),
      attempts: 0,
      claimed_until_ms: own_until_ms,
    })
    .execute();
  return event_id;
}

/**
 * Claims events, oldest first: those this process reported itself (`own`), and those nobody works on. Events another
 * process is claiming at this moment are passed over.
 */
export function claimEvents(
  store: LearningStore,
  own: readonly string[],
  how: { readonly limit: number; readonly attempts_max_count: number; readonly until_ms: number },
): Promise<EventRow[]> {
  return store.write(async (trx) => {
    const waiting = trx
      .selectFrom('learning_events')
      .selectAll()
      .where((eb) => {
        const abandoned = eb('claimed_until_ms', '<', store.clock.now());
        // Only a claim this process made itself with its report: attempts tell whether somebody took it over since.
        const mine = eb.and([eb('event_id', 'in', own), eb('attempts', '=', 0)]);
        return own.length === 0 ? abandoned : eb.or([abandoned, mine]);
      })
      .where('attempts', '<', how.attempts_max_count)
      .orderBy('event_id')
      .limit(how.limit);
    const rows = await store.dialect.unclaimed(waiting).execute();
    if (rows.length === 0) return [];
    await trx
      .updateTable('learning_events')
      .set({ claimed_until_ms: how.until_ms, attempts: sql<number>`attempts + 1` })
      .where(
        'event_id',
        'in',
        rows.map(({ event_id }) => event_id),
      )
      .execute();
    return rows.map((row) => ({ ...row, attempts: row.attempts + 1, claimed_until_ms: how.until_ms }));
  });
}

/** Removes events whose memories are stored: also where the claim was lost meanwhile, for the memory is there. */
export async function removeEvents(store: LearningStore, event_ids: readonly string[]): Promise<void> {
  if (event_ids.length === 0) return;
  await store.write((trx) => trx.deleteFrom('learning_events').where('event_id', 'in', event_ids).execute());
}

/** Leaves an event for later, unless its claim was lost: nobody tries it before `until_ms`. */
export async function postponeEvent(store: LearningStore, row: EventRow, until_ms: number): Promise<void> {
  await store.write((trx) =>
    trx
      .updateTable('learning_events')
      .set({ claimed_until_ms: until_ms })
      .where('event_id', '=', row.event_id)
      .where('attempts', '=', row.attempts)
      .execute(),
  );
}
