// Whether an index that another program holds has as many vectors as the store.
import type { VectorServer } from '../../../storage/vectors/servers/port.ts';
import type { MemoryDatabase } from '../repository.ts';
import { countVectors, type Model } from './indexed-rows.ts';
import { pendingChanges } from './outbox.ts';

/** What somebody who asks waits for, and for how long an answer in which both agree is repeated. */
const ASKED_TIMEOUT_MS = 2_000;
const REPEATED_MS = 2_000;
/** Counts that differ are made again each time, but at most a tenth of the time goes into it. */
const PAUSE_PER_COST = 10;

export interface VectorCounts {
  readonly index: number;
  readonly store: number;
}

export interface ServedCountDeps {
  readonly store: MemoryDatabase;
  readonly server: Pick<VectorServer, 'count'>;
  readonly model: Model;
}

export interface ServedCount {
  /** Counts however long it takes. Resolves with the records that have vectors. */
  survey(): Promise<number>;
  /**
   * Both counted with nothing waiting, at most two seconds ago; of an earlier moment where changes wait or counting
   * takes longer than that. Undefined where nobody could count yet. Rejects where the store does.
   */
  counted(): Promise<VectorCounts | undefined>;
}

/** Entries of the index; undefined where counting them takes longer than two seconds. Rejects where it does not answer. */
export async function countInTime(server: Pick<VectorServer, 'count'>): Promise<number | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), ASKED_TIMEOUT_MS);
  try {
    return await Promise.race([server.count(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

export function createServedCount({ store, server, model }: ServedCountDeps): ServedCount {
  let last: (VectorCounts & { readonly at_ms: number; readonly cost_ms: number }) | undefined;
  let asking: Promise<void> | undefined;

  function note(index: number, stored: number, started_ms: number): void {
    const at_ms = performance.now();
    last = { index, store: stored, at_ms, cost_ms: at_ms - started_ms };
  }
  function isFresh(): boolean {
    if (!last) return false;
    const repeated_ms = last.index === last.store ? REPEATED_MS : PAUSE_PER_COST * last.cost_ms;
    return performance.now() - last.at_ms < Math.min(repeated_ms, REPEATED_MS);
  }
  async function countNow(): Promise<void> {
    const started_ms = performance.now();
    if ((await pendingChanges(store)) > 0) return;
    const count = () => countInTime(server).catch(() => undefined);
    const index = await count();
    if (index === undefined) return;
    // Reading the store's whole table is saved where there is nothing to report.
    if (index === last?.store) return note(index, index, started_ms);
    const { chunks } = await countVectors(store, model.id);
    // Only where nothing changed in between do the two belong together.
    if ((await pendingChanges(store)) > 0 || (index !== chunks && (await count()) !== index)) return;
    note(index, chunks, started_ms);
  }

  return {
    async survey() {
      const started_ms = performance.now();
      const quiet = (await pendingChanges(store)) === 0;
      const found = await countVectors(store, model.id);
      if (!quiet) return found.rows;
      const index = await server.count().catch(() => undefined);
      if (index === undefined || (await pendingChanges(store)) > 0) return found.rows;
      const again = index === found.chunks ? found : await countVectors(store, model.id);
      if (again.chunks === found.chunks) note(index, found.chunks, started_ms);
      return found.rows;
    },
    async counted() {
      if (!isFresh()) {
        asking ??= countNow().finally(() => (asking = undefined));
        await asking;
      }
      return last && { index: last.index, store: last.store };
    },
  };
}
