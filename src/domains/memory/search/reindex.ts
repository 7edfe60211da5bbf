// Bringing vectors and their index to the rows, on demand: what `haivemind reindex` and `haivemind doctor` do.
import { setTimeout } from 'node:timers/promises';
import { HaivemindError } from '../../../kernel/errors.ts';
import { NO_MODEL } from '../../../storage/embedding/none.ts';
import type { VectorServer } from '../../../storage/vectors/servers/port.ts';
import type { MemoryDatabase } from '../repository.ts';
import { comparePages, type Difference } from './drift.ts';
import type { Follower } from './follower.ts';
import { livingRows, type Model } from './indexed-rows.ts';
import { noteChanged, pendingChanges } from './outbox.ts';
import type { Step } from './outbox-worker.ts';
import { queueAll, queueDepth, queueMissing } from './vector-rows.ts';
import type { MemoryVectors } from './vectors.ts';

const EXAMPLES_MAX_COUNT = 5;
/** Rows another process has claimed are waited for this long after the last one was done. */
const OTHERS_WAIT_MS = 15_000;
const OTHERS_PAUSE_MS = 200;

export interface ReindexDeps {
  readonly store: MemoryDatabase;
  readonly model: Model;
  readonly follower: Pick<Follower, 'sweep' | 'settle'>;
  readonly vectors: Pick<MemoryVectors, 'kind' | 'place' | 'check' | 'trouble'>;
  /** Where another program holds the index: that program, and what works off the outbox. */
  readonly served: { readonly server: VectorServer; readonly step: () => Promise<Step> } | undefined;
}

export interface ReindexOptions {
  /** Makes all vectors again, not only those that are missing. */
  readonly embed: boolean;
  /** Empties the index first. */
  readonly full: boolean;
}

export interface ReindexProgress {
  readonly phase: 'vectors' | 'index';
  readonly done: number;
  readonly total: number;
}

export interface ReindexReport {
  readonly kind: MemoryVectors['kind'];
  readonly place: string;
  readonly memories: number;
  /** Memories that got vectors, by this process or another one meanwhile. */
  readonly embedded: number;
  /** What the index lacked, had of an earlier state, and had too much; all of it was mended. */
  readonly missing: number;
  readonly stale: number;
  readonly surplus: number;
  /** Memories that still wait for their vectors, and changes that still wait for the index. */
  readonly waiting_for_vectors: number;
  readonly waiting_for_index: number;
}

export interface DriftReport {
  readonly memories: number;
  readonly missing: number;
  readonly stale: number;
  readonly surplus: number;
  /** Changes on their way. */
  readonly pending: number;
  /** Ids of memories, or of rows that are gone. */
  readonly examples: readonly string[];
}

export interface IndexCare {
  /** Undefined where the index is part of each process. Rejects with `unavailable` where it does not answer. */
  drift(signal: AbortSignal): Promise<DriftReport | undefined>;
  /** Hubs may serve meanwhile. Interrupted, it goes on where it was when it is run again: it compares. */
  reindex(
    options: ReindexOptions,
    onProgress: (progress: ReindexProgress) => void,
    signal: AbortSignal,
  ): Promise<ReindexReport>;
}

export function createIndexCare(deps: ReindexDeps): IndexCare {
  const { store, model, vectors, served } = deps;
  return {
    async drift(signal) {
      if (!served) return undefined;
      const counts = { missing: 0, stale: 0, surplus: 0 };
      const examples: string[] = [];
      let memories = 0;
      for await (const page of comparePages({ store, server: served.server, model }, signal)) {
        memories += page.rows;
        for (const difference of page.differences) {
          counts[difference.kind]++;
          if (examples.length < EXAMPLES_MAX_COUNT) examples.push(nameOf(difference));
        }
      }
      return { memories, ...counts, pending: await pendingChanges(store), examples };
    },
    async reindex(options, onProgress, signal) {
      // Says at once where the index is away, before an hour of embedding.
      await vectors.check();
      const memories = await livingRows(store);
      const embedded = model.id === NO_MODEL ? 0 : await makeVectors(deps, options, onProgress, signal);
      const mended = await mendIndex(deps, options, memories, onProgress, signal);
      return {
        kind: vectors.kind,
        place: vectors.place,
        memories,
        embedded,
        ...mended,
        waiting_for_vectors: await queueDepth(store),
        waiting_for_index: served ? await pendingChanges(store) : 0,
      };
    },
  };
}

function nameOf({ memory_id, row_id }: Difference): string {
  return memory_id ?? `row ${row_id}`;
}

/** Queues what lacks vectors and works the queue off beside the hubs. Returns how many left the queue. */
async function makeVectors(
  { store, model, follower }: ReindexDeps,
  { embed }: ReindexOptions,
  onProgress: (progress: ReindexProgress) => void,
  signal: AbortSignal,
): Promise<number> {
  if (embed) await queueAll(store);
  else await queueMissing(store, model.id);
  const total = await queueDepth(store);
  let left = total;
  let moved_ms = performance.now();
  while (left > 0 && performance.now() - moved_ms < OTHERS_WAIT_MS) {
    onProgress({ phase: 'vectors', done: total - left, total });
    signal.throwIfAborted();
    await follower.sweep();
    await follower.settle(signal);
    const now = await queueDepth(store);
    if (now < left) moved_ms = performance.now();
    else await setTimeout(OTHERS_PAUSE_MS, undefined, { signal });
    left = now;
  }
  return Math.max(0, total - left);
}

/** Notes what differs in the outbox and works it off, page by page: the hubs that serve meanwhile do the same. */
async function mendIndex(
  { store, model, vectors, served }: ReindexDeps,
  { full }: ReindexOptions,
  total: number,
  onProgress: (progress: ReindexProgress) => void,
  signal: AbortSignal,
): Promise<Pick<ReindexReport, Difference['kind']>> {
  const counts = { missing: 0, stale: 0, surplus: 0 };
  if (!served) return counts;
  const workOff = async (): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      const result = await served.step();
      if (result === 'away') throw awayError(vectors);
      if (result === 'empty') return;
    }
  };
  if (full) await served.server.clear();
  let done = 0;
  for await (const { rows, differences } of comparePages({ store, server: served.server, model }, signal)) {
    for (const { kind } of differences) counts[kind]++;
    const ids = differences.map((difference) => difference.row_id);
    if (ids.length > 0) await store.write((trx) => noteChanged(trx, ids));
    await workOff();
    done += rows;
    onProgress({ phase: 'index', done: Math.min(done, total), total });
  }
  await othersAreDone(store, workOff, signal);
  return counts;
}

/** Hubs may have taken some of what was noted: waits as long as they get on with it. */
async function othersAreDone(store: MemoryDatabase, workOff: () => Promise<void>, signal: AbortSignal): Promise<void> {
  let left = await pendingChanges(store);
  let moved_ms = performance.now();
  while (left > 0 && performance.now() - moved_ms < OTHERS_WAIT_MS) {
    await setTimeout(OTHERS_PAUSE_MS, undefined, { signal });
    await workOff();
    const now = await pendingChanges(store);
    if (now < left) moved_ms = performance.now();
    left = now;
  }
}

function awayError(vectors: ReindexDeps['vectors']): HaivemindError {
  const { message, code } = vectors.trouble() ?? { message: 'The vector index went away.', code: 'unavailable' };
  return new HaivemindError({
    code,
    message,
    hint: 'Run `haivemind reindex` again when it is back: it goes on with what is left.',
  });
}
