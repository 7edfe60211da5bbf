// Search by meaning through an index that another program holds: it names candidates, the rows decide.
import type { VectorMetric } from '../../../storage/vectors/port.ts';
import type { ScoringQuery } from '../../../storage/vectors/scan.ts';
import type { ServedSearchOptions } from '../../../storage/vectors/search.ts';
import type { NearOptions, VectorServer } from '../../../storage/vectors/servers/port.ts';
import type { MemoryDatabase } from '../repository.ts';
import { bestFirst, exactScores } from './exact-scores.ts';
import type { Model } from './indexed-rows.ts';
import { orAborted } from './or-aborted.ts';
import { pendingChanges } from './outbox.ts';
import { createOutboxWorker, type Step } from './outbox-worker.ts';
import { createCircuit } from './served-circuit.ts';
import { createServedFit } from './served-fit.ts';
import { createServedLoop } from './served-loop.ts';
import type { MemoryVectors } from './vectors.ts';

/** Up to this many allowed rows are all compared, without the server: about 10 ms. */
const EXACT_ROWS_MAX = 1_000;
/** The server is asked for more chunks than rows are wanted: long texts have several, and its scores are not exact. */
const ASKED_MORE = 100;
const ASKED_PER_HIT = 2;
/** Where too few of what it named may be found it is asked again for four times as many, up to here. */
const ASKED_GROWTH = 4;
const ASKED_MAX = 4_000;
/** Where that was too few, a set of up to this many rows is compared whole: about half a second. */
const SCANNED_ROWS_MAX = 50_000;

export interface ServedDeps {
  readonly store: MemoryDatabase;
  readonly server: VectorServer;
  readonly model: Model;
  /** Only long-lived processes fit to the collection. */
  readonly fits: boolean;
  readonly onError: (error: unknown, message: string) => void;
}
/** How long the batch at hand may take when this process ends. */
const STOP_GRACE_MS = 5_000;

export interface ServedVectors extends MemoryVectors {
  readonly server: VectorServer;
  /** Works off one batch of the outbox, as a long-lived process does by itself. */
  readonly step: () => Promise<Step>;
}

/** Results equal those of the embedded index but for what the server does not name: the store's vectors give the scores. */
export function createServedVectors(deps: ServedDeps): ServedVectors {
  const { store, server, model, onError } = deps;
  const circuit = createCircuit({
    clock: store.clock,
    place: `${server.kind} (${server.place})`,
    probe: () => server.check(),
    onChange: (error) =>
      error === undefined
        ? onError(undefined, 'the vector index answers again')
        : onError(error, 'the vector index does not answer; searches use words, and it catches up when it is back'),
  });
  const fit = createServedFit({ store, server, model, fits: deps.fits });
  const step = createOutboxWorker({
    store,
    server,
    model,
    guarded: circuit.work,
    isAway: () => circuit.trouble() !== undefined,
    onError: (error) => onError(error, 'a memory was refused by the vector index; it is tried again'),
  });
  const loop = createServedLoop({
    step,
    look: circuit.look,
    survey: fit.survey,
    onError: (error) => onError(error, 'looking after the vector index failed; it is tried again'),
  });

  const prepare = (query: Float32Array, metric: VectorMetric = 'whitened'): ScoringQuery => fit.prepare(query, metric);
  const scoresOf = (query: Float32Array, ids: readonly number[], scoring: ScoringQuery) =>
    exactScores(store, model, ids, query, scoring);

  /** Rows the server names, the nearest first. */
  async function named(vector: Float32Array, near: NearOptions): Promise<{ ids: number[]; full: boolean }> {
    const chunks = await circuit.ask((signal) => server.nearest(vector, { ...near, signal }), near.signal);
    return { ids: [...new Set(chunks.map((chunk) => chunk.row_id))], full: chunks.length >= near.limit };
  }

  async function candidates(vector: Float32Array, options: ServedSearchOptions): Promise<readonly number[]> {
    const { limit, allowed, filter, signal } = options;
    const wanted = Math.min(limit, allowed?.size ?? limit);
    for (let asked = Math.max(limit + ASKED_MORE, ASKED_PER_HIT * limit); ; asked *= ASKED_GROWTH) {
      const { ids, full } = await named(vector, { limit: Math.min(asked, ASKED_MAX), filter, signal });
      const found = allowed ? ids.filter((row_id) => allowed.has(row_id)) : ids;
      if (found.length >= wanted) return found;
      if (full && asked < ASKED_MAX) continue;
      // What may be found lies elsewhere than what is near: the set is small enough, or what was found has to do.
      return allowed && allowed.size <= SCANNED_ROWS_MAX ? [...allowed] : found;
    }
  }

  return {
    kind: server.kind,
    place: server.place,
    server,
    step,
    refresh: fit.load,
    async search(query, options) {
      const { limit, allowed, metric } = options;
      if (limit <= 0 || allowed?.size === 0) return [];
      const scoring = prepare(query, metric);
      const few = allowed !== undefined && allowed.size <= EXACT_ROWS_MAX;
      const ids = few ? [...allowed] : await candidates(scoring.vector, options);
      return bestFirst(await scoresOf(query, ids, scoring), limit);
    },
    async scores(query, rowIds, metric) {
      const scores = await scoresOf(query, rowIds, prepare(query, metric));
      return rowIds.flatMap((row_id) => scores.get(row_id) ?? []);
    },
    changed: loop.wake,
    forget: loop.wake,
    size: fit.rows,
    bytes: fit.bytes,
    pending: () => pendingChanges(store),
    trouble: circuit.trouble,
    async check() {
      const state = await circuit.ask(() => server.check());
      return { ...state, counted: fit.counted() };
    },
    start: loop.start,
    settle: loop.settle,
    async stop() {
      const stopped = loop.stop();
      await orAborted(stopped, AbortSignal.timeout(STOP_GRACE_MS)).catch(() => undefined);
      // Ends a request that hangs; its rows are left to the next process.
      await server[Symbol.asyncDispose]();
      await stopped;
    },
  };
}
