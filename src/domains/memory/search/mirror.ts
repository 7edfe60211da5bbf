// The vector index of this process as a mirror of the store's vectors, whoever wrote them.
import type { MemoryIndex } from '../../../storage/vectors/memory-index.ts';
import type { MemoryDatabase } from '../repository.ts';
import { countRowsWithVector, readFit, saveFit, vectorsAfter, withoutVector } from './vector-rows.ts';
import type { MemoryVectors } from './vectors.ts';

/** Rows read between two turns of the event loop: about 10 ms. */
const SLICE_COUNT = 2_000;

/** Another process tells nobody which vectors it deleted, so what is left here of them is looked for from time to time. */
const FORGET_INTERVAL_MS = 60_000;

export interface MirrorDeps {
  readonly store: MemoryDatabase;
  readonly index: MemoryIndex;
  readonly model_id: string;
  /** Only long-lived processes fit the index to the collection and keep the result. */
  readonly fits: boolean;
  readonly onError: (error: unknown) => void;
  /** Default: a minute. */
  readonly forget_interval_ms?: number;
}

/** Search by meaning in this process, over a copy of all vectors of the store. */
export function createVectorMirror(deps: MirrorDeps): MemoryVectors {
  const { store, index, model_id } = deps;
  let lastSeq = 0;
  let loaded = false;
  let current: Promise<void> | undefined;
  let fitting: Promise<void> | undefined;
  let turn: Promise<unknown> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  async function readSlices(): Promise<void> {
    for (;;) {
      const slice = await vectorsAfter(store, model_id, lastSeq, SLICE_COUNT);
      for (const { row_id, chunk, vector } of slice) {
        // A row's first chunk replaces what was known of it; the others follow in the order of the commit.
        if (chunk === 0) index.upsert(row_id, [vector]);
        else index.add(row_id, chunk, vector);
      }
      lastSeq = slice.at(-1)?.vector_seq ?? lastSeq;
      if (slice.length < SLICE_COUNT) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function load(): Promise<void> {
    if (!loaded) {
      const fit = await readFit(store, model_id);
      // Without a fit searches compare by the plain cosine, until a long-lived process makes a new one.
      if (fit) tryTo(() => index.importFit(fit), deps.onError);
    }
    await readSlices();
    loaded = true;
    if (deps.fits && index.fitIsDue()) fitting ??= fitAndKeep().finally(() => (fitting = undefined));
  }

  /** One after the other: what was read of the store must not be overtaken by what was read of it later. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const next = turn.then(work, work);
    turn = next.catch(() => undefined);
    return next;
  }

  /** Removes what is here and has no vector in the store any more. */
  async function forgetDeleted(): Promise<void> {
    const here = index.rowIds();
    if (here.length <= (await countRowsWithVector(store, model_id))) return;
    for (let start = 0; start < here.length; start += SLICE_COUNT) {
      const gone = await withoutVector(store, model_id, here.slice(start, start + SLICE_COUNT));
      for (const row_id of gone) index.remove(row_id);
    }
  }

  async function fitAndKeep(): Promise<void> {
    try {
      await index.fit();
      const state = index.exportFit();
      if (state) await saveFit(store, model_id, state, index.size);
    } catch (error) {
      deps.onError(error);
    }
  }

  function refresh(): Promise<void> {
    current ??= inTurn(load).finally(() => (current = undefined));
    return current;
  }

  return {
    kind: 'embedded',
    place: 'this process',
    refresh,
    search: async (query, options) => index.search(query, options),
    scores: async (query, rowIds, metric) => index.scores(query, rowIds, metric),
    changed() {
      // Until the first search there is nothing to keep up to date.
      if (loaded) void refresh().catch(deps.onError);
    },
    forget(row_ids) {
      for (const row_id of row_ids) index.remove(row_id);
    },
    size: () => index.size,
    bytes: () => index.bytes,
    pending: async () => 0,
    trouble: () => undefined,
    check: async () => undefined,
    start() {
      const look = () => void inTurn(forgetDeleted).catch(deps.onError);
      timer ??= setInterval(look, deps.forget_interval_ms ?? FORGET_INTERVAL_MS);
      timer.unref();
    },
    settle: async () => {},
    async stop() {
      clearInterval(timer);
      await turn;
    },
  };
}

function tryTo(work: () => void, onError: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    onError(error);
  }
}
