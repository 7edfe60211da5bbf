// The half-whitening of a collection whose index another program holds: read from the store, renewed as it grows.
import { createFitting, type Fitting } from '../../../storage/vectors/fitting.ts';
import type { VectorServer } from '../../../storage/vectors/servers/port.ts';
import type { MemoryDatabase } from '../repository.ts';
import { type Model, sampleVectors } from './indexed-rows.ts';
import { createServedCount, type VectorCounts } from './served-count.ts';
import { fittedRows, readFit, saveFit } from './vector-rows.ts';

/** Counting reads the whole table of vectors: at most a hundredth of the time goes into it. */
const SURVEY_PAUSE_MIN_MS = 10_000;
const SURVEY_PAUSE_PER_COST = 100;

export interface ServedFitDeps {
  readonly store: MemoryDatabase;
  readonly server: Pick<VectorServer, 'count'>;
  readonly model: Model;
  readonly fits: boolean;
  readonly onError: (error: unknown) => void;
}

export interface ServedFit {
  readonly prepare: Fitting['prepare'];
  /** Reads the stored fit, the first time it is asked. */
  load(): Promise<void>;
  /** Counts, fits where that is due, and takes over what another process fitted. Does nothing before it is time. */
  survey(): Promise<void>;
  rows(): number;
  bytes(): number;
  /** Vectors in the index and in the store while nothing waited; see served-count.ts. */
  counted(): Promise<VectorCounts | undefined>;
}

export function createServedFit({ store, server, model, fits, onError }: ServedFitDeps): ServedFit {
  const fitting = createFitting(model.dimensions);
  const counting = createServedCount({ store, server, model });
  let loading: Promise<void> | undefined;
  /** Rows the fit in use was made from. */
  let used: number | undefined;
  let rows = 0;
  let next_ms = 0;

  async function read(): Promise<void> {
    const made_from = await fittedRows(store, model.id);
    const state = made_from === undefined ? undefined : await readFit(store, model.id);
    used = made_from;
    try {
      if (state) fitting.import(state);
    } catch (error) {
      // Without a fit searches compare by the plain cosine, until a long-lived process makes a new one.
      onError(error);
    }
  }
  function load(): Promise<void> {
    loading ??= read().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  }
  async function renew(): Promise<void> {
    if ((await fittedRows(store, model.id)) !== used) await read();
    if (!fitting.isDue(rows)) return;
    await fitting.fit(rows, () => sampleVectors(store, model, rows));
    const state = fitting.export();
    if (!state) return;
    await saveFit(store, model.id, state, rows);
    used = rows;
  }

  return {
    prepare: fitting.prepare,
    load,
    async survey() {
      if (!fits || performance.now() < next_ms) return;
      const started_ms = performance.now();
      await load();
      rows = await counting.survey();
      const cost_ms = performance.now() - started_ms;
      next_ms = performance.now() + Math.max(SURVEY_PAUSE_MIN_MS, SURVEY_PAUSE_PER_COST * cost_ms);
      await renew();
    },
    rows: () => rows,
    bytes: () => fitting.bytes,
    counted: counting.counted,
  };
}
