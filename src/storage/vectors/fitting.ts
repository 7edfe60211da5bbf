// The half-whitening of one collection, wherever its vectors are: when a fit is due, made in a worker, kept as bytes.
import { Worker } from 'node:worker_threads';
import type { Sample } from './fit.ts';
import type { VectorMetric } from './port.ts';
import type { ScoringQuery } from './scan.ts';
import { exportWhitening, importWhitening, type Whitening, whitenQuery } from './whitening.ts';

/** A collection smaller than this has no covariance worth the name. */
const FIT_ROWS_MIN = 50;
/** A new fit is due when the collection has grown by half. */
const FIT_GROWTH = 1.5;
/** A fit reads at most this many vectors, evenly spread. */
export const FIT_SAMPLE_MAX = 4_096;

export type Fitting = {
  /** Memory the fit takes, in bytes. */
  readonly bytes: number;
  /** The query as it is compared with stored vectors; unchanged for the plain cosine and before the first fit. */
  prepare(query: Float32Array, metric: VectorMetric): ScoringQuery;
  /** True when a collection of this many records has grown so much that a new fit is worth its half second. */
  isDue(rows: number): boolean;
  /** Fits to the sample in a worker thread and uses the result from then on. Too few records: does nothing. */
  fit(rows: number, sample: () => Sample | Promise<Sample>, signal?: AbortSignal): Promise<void>;
  /** The present fit as bytes, to be stored beside the vectors; undefined before the first one. */
  export(): Uint8Array | undefined;
  /** Uses a stored fit; one of other dimensions is passed over. Throws `storage_corrupt` when the bytes are not one. */
  import(bytes: Uint8Array): void;
};

const workerFile = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './fit-worker.ts' : './vector-fit-worker.js', import.meta.url);

const fitInWorker = (sample: Sample, signal?: AbortSignal): Promise<Whitening> => {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Whitening>();
  const worker = new Worker(workerFile(), { workerData: sample, transferList: [sample.values.buffer as ArrayBuffer] });
  worker.unref();
  const stop = () => reject(signal?.reason);
  signal?.addEventListener('abort', stop, { once: true });
  worker.once('message', resolve);
  worker.once('error', reject);
  worker.once('exit', () => reject(new Error('The worker that fits the vectors ended without a result.')));
  return promise.finally(() => {
    signal?.removeEventListener('abort', stop);
    return worker.terminate();
  });
};

/** No fit yet, for vectors of this many dimensions. */
export const createFitting = (dimensions: number): Fitting => {
  let whitening: Whitening | undefined;
  // One search asks for scores several times with the same question: it is whitened once, and again after a new fit.
  let known = new WeakMap<Float32Array, ScoringQuery>();
  const use = (fit: Whitening): void => {
    whitening = fit;
    known = new WeakMap();
  };

  return {
    get bytes() {
      return whitening?.matrix.byteLength ?? 0;
    },
    prepare(query, metric) {
      if (metric !== 'whitened' || !whitening) return { vector: query, offset: 0 };
      const scoring = known.get(query) ?? whitenQuery(whitening, query);
      known.set(query, scoring);
      return scoring;
    },
    isDue: (rows) => rows >= FIT_ROWS_MIN && rows >= (whitening?.fitted_rows ?? 0) * FIT_GROWTH,
    async fit(rows, sample, signal) {
      if (rows >= FIT_ROWS_MIN) use(await fitInWorker(await sample(), signal));
    },
    export: () => whitening && exportWhitening(whitening),
    import(bytes) {
      const fit = importWhitening(bytes);
      if (fit.dimensions === dimensions) use(fit);
    },
  };
};
