// Search by meaning through an index that another program holds: it names candidates, the rows decide.
import type { VectorMetric } from '../../../storage/vectors/port.ts';
import type { ScoringQuery } from '../../../storage/vectors/scan.ts';
import type { VectorServer } from '../../../storage/vectors/servers/port.ts';
import type { MemoryDatabase } from '../repository.ts';
import { bestFirst, exactScores } from './exact-scores.ts';
import { hasVectors, type Model } from './indexed-rows.ts';
import { orAborted } from './or-aborted.ts';
import { pendingChanges } from './outbox.ts';
import { createOutboxWorker, type Step } from './outbox-worker.ts';
import { createCandidates } from './served-candidates.ts';
import { type Circuit, createCircuit } from './served-circuit.ts';
import { countInTime } from './served-count.ts';
import { createEmptiness, type Emptiness } from './served-empty.ts';
import { createServedFit } from './served-fit.ts';
import { createServedLoop } from './served-loop.ts';
import { createWriting, type Writing } from './served-writing.ts';
import type { MemoryVectors } from './vectors.ts';

/** Up to this many allowed rows are all compared, without the server: about 10 ms. */
const EXACT_ROWS_MAX = 1_000;
/** How long the batch at hand may take when this process ends. */
const STOP_GRACE_MS = 5_000;

export interface ServedDeps {
  readonly store: MemoryDatabase;
  readonly server: VectorServer;
  readonly model: Model;
  /** Only long-lived processes fit to the collection. */
  readonly fits: boolean;
  readonly onError: (error: unknown, message: string) => void;
}

export interface ServedVectors extends MemoryVectors {
  readonly server: VectorServer;
  /** Works off one batch of the outbox, as a long-lived process does by itself. */
  readonly step: () => Promise<Step>;
}

/** Results equal those of the embedded index but for what the server does not name: the store's vectors give the scores. */
export function createServedVectors(deps: ServedDeps): ServedVectors {
  const { store, server, model, onError } = deps;
  const circuit = circuitOf(deps);
  const emptiness = emptinessOf(deps, circuit);
  const candidates = createCandidates(server, circuit, emptiness);
  const fit = createServedFit({
    store,
    server,
    model,
    fits: deps.fits,
    onError: (error) => onError(error, 'the fit of the vectors cannot be used; searches go on without it'),
  });
  const writing = writingOf(deps, circuit);
  const step = stepOf(deps, writing);
  const loop = createServedLoop({
    step,
    look: circuit.look,
    survey: fit.survey,
    onError: (error) => onError(error, 'looking after the vector index failed; it is tried again'),
  });

  const prepare = (query: Float32Array, metric: VectorMetric = 'whitened'): ScoringQuery => fit.prepare(query, metric);
  const scoresOf = (query: Float32Array, ids: readonly number[], scoring: ScoringQuery) =>
    exactScores(store, model, ids, query, scoring);

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
    trouble: () => circuit.trouble() ?? writing.trouble() ?? emptiness.trouble(),
    async check() {
      const state = await circuit.ask(() => server.check());
      const [counted] = await Promise.all([fit.counted(), emptiness.look()]);
      return { ...state, counted };
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

function circuitOf({ store, server, onError }: ServedDeps): Circuit {
  return createCircuit({
    clock: store.clock,
    place: `${server.kind} (${server.place})`,
    probe: () => server.check(),
    onChange: (error) =>
      error === undefined
        ? onError(undefined, 'the vector index answers again')
        : onError(error, 'the vector index does not answer; searches use words, and it catches up when it is back'),
  });
}

function writingOf({ store, onError }: ServedDeps, circuit: Circuit): Writing {
  return createWriting({
    clock: store.clock,
    circuit,
    waiting: () => pendingChanges(store),
    onChange: (error) =>
      error === undefined
        ? onError(undefined, 'the vector index takes changes again')
        : onError(error, 'the vector index takes no changes; they wait, and what it has is searched'),
  });
}

function stepOf({ store, server, model, onError }: ServedDeps, writing: Writing): () => Promise<Step> {
  const workOff = createOutboxWorker({
    store,
    server,
    model,
    guarded: writing.write,
    isAway: writing.isAway,
    onRefusal: writing.refused,
    onError: (error) => onError(error, 'a memory was refused by the vector index; it is tried again'),
  });
  return async () => {
    const result = await workOff();
    if (result === 'empty') await writing.idle();
    return result;
  };
}

function emptinessOf({ store, server, model, onError }: ServedDeps, circuit: Circuit): Emptiness {
  return createEmptiness({
    clock: store.clock,
    place: `${server.kind} (${server.place})`,
    count: () => circuit.ask(() => countInTime(server)),
    hasVectors: () => hasVectors(store, model.id),
    onChange: (error) =>
      error === undefined
        ? onError(undefined, 'the vector index has entries again')
        : onError(error, 'the vector index is empty; searches use words until it is filled'),
  });
}
