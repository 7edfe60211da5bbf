// The vector index of this process as a mirror of the store's vectors, whoever wrote them.
import type { MemoryIndex } from '../../../storage/vectors/memory-index.ts';
import type { MemoryDatabase } from '../repository.ts';
import { readFit, saveFit, vectorsAfter } from './vector-rows.ts';
import type { MemoryVectors } from './vectors.ts';

/** Rows read between two turns of the event loop: about 10 ms. */
const SLICE_COUNT = 2_000;

export interface MirrorDeps {
  readonly store: MemoryDatabase;
  readonly index: MemoryIndex;
  readonly model_id: string;
  /** Only long-lived processes fit the index to the collection and keep the result. */
  readonly fits: boolean;
  readonly onError: (error: unknown) => void;
}

/** Search by meaning in this process, over a copy of all vectors of the store. */
export function createVectorMirror(deps: MirrorDeps): MemoryVectors {
  const { store, index, model_id } = deps;
  let lastSeq = 0;
  let loaded = false;
  let current: Promise<void> | undefined;
  let fitting: Promise<void> | undefined;

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
    current ??= load().finally(() => (current = undefined));
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
    start: () => {},
    settle: async () => {},
    stop: async () => {},
  };
}

function tryTo(work: () => void, onError: (error: unknown) => void): void {
  try {
    work();
  } catch (error) {
    onError(error);
  }
}
