// What changes in the store, as a stream that a client follows and can take up again where it was: made of the change
// record, whose sequence has no gaps for each origin, so that nothing is missed whichever hub wrote it.
import { setTimeout as pause } from 'node:timers/promises';
import { mayCall } from '../domains/access/index.ts';
import { failure } from '../kernel/errors.ts';
import type { Principal } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';
import type { EventFilter, StoreEvent } from '../surfaces/runtime.ts';
import type { Gate } from './admit.ts';
import type { ChangeFeed } from './change-feed.ts';
import { type EventData, type EventStore, VIEWS } from './event-views.ts';

/** Highest sequence told, by origin. */
type Position = Readonly<Record<string, number>>;

export interface EventDeps {
  readonly store: Database;
  readonly gate: Pick<Gate, 'withTeams'>;
  readonly feed: Pick<ChangeFeed, 'subscribe'>;
}

/** Changes read at once. */
const BATCH_COUNT = 200;
/** The feed wakes a follower; where its message was lost, this does. */
const POLL_MS = 5_000;

export type FollowEvents = (principal: Principal, filter: EventFilter) => Promise<AsyncIterable<StoreEvent>>;

/**
 * Follows from now, or from the id of the last event a client has seen: then at least all since come again. Events that
 * the principal may not see are left out, by what they may see at that moment. Resolves when it follows: nothing that
 * happens afterwards is missed. The stream ends when `signal` is aborted. Rejects with `invalid_input` for an id that is
 * not one of an event.
 */
export function createEvents({ store: anyStore, gate, feed }: EventDeps): FollowEvents {
  const store = anyStore as unknown as EventStore;
  return async (principal, { after, kinds, signal }) => {
    const start = after === undefined ? await endOf(store) : parsePosition(after);
    return follow(start);

    async function* follow(from: Position): AsyncGenerator<StoreEvent, void> {
      let position = from;
      const bell = createBell(feed);
      try {
        while (!signal.aborted) {
          const batch = await readBatch(store, position);
          if (batch.length === 0) {
            await bell.wait(signal);
            continue;
          }
          const told = await view(store, await gate.withTeams(principal), batch, kinds);
          for (const { change, data } of told) {
            position = { ...position, [change.origin]: change.origin_sequence };
            if (data) yield { id: encodePosition(position), event: data.kind, data: data.fields };
          }
        }
      } finally {
        bell.stop();
      }
    }
  };
}

interface Change {
  readonly origin: string;
  readonly origin_sequence: number;
  readonly entity: string;
  readonly entity_id: string;
}

async function endOf({ db }: EventStore): Promise<Position> {
  const rows = await db.selectFrom('origins').select(['origin', 'last_sequence']).execute();
  return Object.fromEntries(rows.map(({ origin, last_sequence }) => [origin, last_sequence]));
}

async function readBatch(store: EventStore, position: Position): Promise<readonly Change[]> {
  const end = await endOf(store);
  const changes: Change[] = [];
  for (const [origin, last] of Object.entries(end)) {
    const from = position[origin] ?? 0;
    if (last <= from || changes.length >= BATCH_COUNT) continue;
    const rows = await store.db
      .selectFrom('changes')
      .select(['origin', 'origin_sequence', 'entity', 'entity_id'])
      .where('origin', '=', origin)
      .where('origin_sequence', '>', from)
      .orderBy('origin_sequence')
      .limit(BATCH_COUNT)
      .execute();
    changes.push(...rows);
  }
  return changes;
}

interface Told {
  readonly change: Change;
  /** Undefined: not to be told. */
  readonly data: { readonly kind: StoreEvent['event']; readonly fields: EventData } | undefined;
}

/** A record that changed several times is told once, as it is now, at its last change. */
async function view(
  store: EventStore,
  principal: Principal,
  batch: readonly Change[],
  kinds: EventFilter['kinds'],
): Promise<readonly Told[]> {
  const last = new Map(batch.map((change) => [`${change.entity} ${change.entity_id}`, change]));
  const rows = new Map<string, ReadonlyMap<string, EventData>>();
  for (const [entity, { kind, permission, read }] of Object.entries(VIEWS)) {
    const ids = [...last.values()].filter((change) => change.entity === entity).map(({ entity_id }) => entity_id);
    const wanted = kinds === undefined || kinds.includes(kind);
    if (ids.length === 0 || !wanted || !mayCall(principal, permission).allowed) continue;
    rows.set(entity, await read(store, ids, principal));
  }
  return batch.map((change) => {
    const { entity, entity_id } = change;
    const kind = VIEWS[entity]?.kind;
    const fields = rows.get(entity)?.get(entity_id);
    const isLast = last.get(`${entity} ${entity_id}`) === change;
    return { change, data: kind && fields && isLast ? { kind, fields } : undefined };
  });
}

/** Rings when anything changed; remembers a ring that nobody waited for. */
function createBell(feed: Pick<ChangeFeed, 'subscribe'>) {
  let rung = Promise.withResolvers<void>();
  const stop = feed.subscribe(() => rung.resolve());
  return {
    stop,
    async wait(signal: AbortSignal): Promise<void> {
      const late = new AbortController();
      const ended = AbortSignal.any([signal, late.signal]);
      await Promise.race([rung.promise, pause(POLL_MS, undefined, { signal: ended, ref: false }).catch(() => {})]);
      late.abort();
      rung = Promise.withResolvers<void>();
    },
  };
}

function encodePosition(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

function parsePosition(id: string): Position {
  try {
    const value: unknown = JSON.parse(Buffer.from(id, 'base64url').toString('utf8'));
    const isPosition =
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.values(value).every((sequence) => Number.isSafeInteger(sequence) && sequence >= 0);
    if (isPosition) return value as Position;
  } catch {
    // Falls through to the one error below.
  }
  throw failure('invalid_input', 'Last-Event-ID is not the id of an event.', 'Leave it out to follow from now on.');
}
