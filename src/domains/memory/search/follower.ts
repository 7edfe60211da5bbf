// Makes vectors after the acknowledgement: a memory is found by its words at once and by its meaning a moment later.
// The queue lives in the store, so a process that dies loses nothing: another takes over when its claim ends.
import { NO_MODEL } from '../../../storage/embedding/none.ts';
import type { EmbeddedDocument, Embedder } from '../../../storage/embedding/port.ts';
import { encodeVector } from '../../../storage/vectors/codec.ts';
import type { MemoryDatabase } from '../repository.ts';
import type { VectorFollower } from '../rules/deps.ts';
import { createFollowerNews, type FollowerNews } from './follower-news.ts';
import { orAborted } from './or-aborted.ts';
import {
  claimAbandoned,
  hasAbandoned,
  lacksVectors,
  type NewChunk,
  postpone,
  type QueuedText,
  queuedTexts,
  queueMissing,
  releaseClaims,
  saveVectors,
} from './vector-rows.ts';
import type { MemoryVectors } from './vectors.ts';

const BATCH_COUNT = 32;
/** How long the rows of a process that was killed wait for another one. Working on a row twice costs time and no more. */
const CLAIM_MS = 10_000;
/** Expected time of one text on a busy machine: a long own queue claims for longer. */
const CLAIM_PER_TEXT_MS = 10;
const SWEEP_INTERVAL_MS = 5_000;
const SWEEP_COUNT = 256;
const RETRY_PAUSE_MS = 30_000;
const RETRY_PAUSE_DOUBLINGS_MAX = 6;

export interface Follower extends VectorFollower {
  /** Begins to look for abandoned queue rows from time to time. */
  start(): void;
  /**
   * Resolves when this process has nothing left to embed, telling how many are left after each batch, and an index that
   * another program holds knows of it, as far as it answers.
   */
  settle(signal: AbortSignal, onProgress?: (left: number) => void): Promise<void>;
  /** Takes over abandoned rows now. */
  sweep(): Promise<void>;
  /** Ends the work, within a batch too, and gives back what has no vector yet. */
  stop(): Promise<void>;
  depth(): number;
}

export interface FollowerDeps {
  readonly store: MemoryDatabase;
  readonly embedder: Embedder;
  readonly vectors: MemoryVectors;
  /** Told once of an engine that is away, and, without an error, that it is back. */
  readonly onError: (error: unknown, row_count: number) => void;
}

export function createFollower(deps: FollowerDeps): Follower {
  const { store, embedder, vectors } = deps;
  /** Rows this process has claimed, and how often making their vectors failed before. */
  const own = new Map<number, number>();
  const stopping = new AbortController();
  let working: Promise<void> | undefined;
  const listeners = new Set<(left: number) => void>();
  const news = createFollowerNews(deps.onError);
  let timer: NodeJS.Timeout | undefined;

  const claimUntil = () => store.clock.now() + CLAIM_MS + own.size * CLAIM_PER_TEXT_MS;
  const stopped = () => stopping.signal.aborted;
  const sweepQuietly = () => sweep().catch((error: unknown) => news.failed('store', error, 0));

  function wake(): void {
    if (stopped() || own.size === 0) return;
    working ??= work().finally(() => {
      working = undefined;
      wake();
    });
  }

  async function work(): Promise<void> {
    while (own.size > 0 && !stopped()) {
      const { ids, attempts } = takeBatch(own);
      await embedBatch(ids, attempts);
      for (const listener of listeners) listener(own.size);
    }
    // A long queue of a process that died is taken over in one go, not at the pace of the timer.
    if (timer) await sweepQuietly();
  }

  async function embedBatch(ids: readonly number[], attempts: number): Promise<void> {
    try {
      const changed = await makeVectors(deps, ids, stopping.signal);
      // Nothing to embed: something else of these rows changed, or another process has made their vectors.
      if (!changed) return vectors.changed(ids);
      for (const id of changed) own.set(id, 0);
      news.well('vectors');
      vectors.changed(ids);
    } catch (error) {
      if (stopped()) {
        // Still claimed by this process: stop() gives them back.
        for (const id of ids) own.set(id, attempts);
        return;
      }
      await putOff(deps.store, news, ids, attempts, error);
    }
  }

  async function sweep(): Promise<void> {
    if (stopped() || own.size > 0) return;
    const abandoned = await hasAbandoned(store);
    news.well('store');
    if (!abandoned) return;
    for (const row of await claimAbandoned(store, SWEEP_COUNT, claimUntil())) own.set(row.row_id, row.attempts);
    wake();
  }

  /** Vectors of another model cannot be compared with this one's questions: they are all made again. */
  async function begin(): Promise<void> {
    if (embedder.id !== NO_MODEL && (await lacksVectors(store, embedder.id))) await queueMissing(store, embedder.id);
    await sweep();
  }

  return {
    claimUntil,
    depth: () => own.size,
    follow(row_ids) {
      for (const id of row_ids) own.set(id, 0);
      wake();
    },
    forget(row_ids) {
      for (const id of row_ids) own.delete(id);
      vectors.forget(row_ids);
    },
    start() {
      timer ??= setInterval(() => void sweepQuietly(), SWEEP_INTERVAL_MS);
      timer.unref();
      vectors.start();
      void begin().catch((error: unknown) => news.failed('store', error, 0));
    },
    sweep,
    async settle(signal, onProgress = () => {}) {
      listeners.add(onProgress);
      try {
        while (working) await orAborted(working, signal);
        await vectors.settle(signal);
      } finally {
        listeners.delete(onProgress);
      }
    },
    async stop() {
      stopping.abort();
      clearInterval(timer);
      await working;
      await giveBack(store, own);
      await vectors.stop();
    },
  };
}

/** Resolves with the rows whose text changed meanwhile; undefined where no vector was missing. */
async function makeVectors({ store, embedder }: FollowerDeps, ids: readonly number[], signal: AbortSignal) {
  const texts = await queuedTexts(store, ids);
  if (texts.length === 0) return undefined;
  const documents = await embedder.embedDocuments(texts.map(embeddedText), { signal });
  return saveVectors(
    store,
    embedder.id,
    texts.map((text, i) => ({ text, chunks: toChunks(documents[i]) })),
  );
}

async function giveBack(store: MemoryDatabase, own: Map<number, number>): Promise<void> {
  const rest = [...own.keys()];
  own.clear();
  if (rest.length > 0) await releaseClaims(store, rest);
}

/** Leaves rows whose vectors could not be made for later; the pause doubles with every failure. */
async function putOff(
  store: MemoryDatabase,
  news: FollowerNews,
  ids: readonly number[],
  attempts: number,
  error: unknown,
): Promise<void> {
  news.failed('vectors', error, ids.length);
  const pause_ms = RETRY_PAUSE_MS * 2 ** Math.min(attempts, RETRY_PAUSE_DOUBLINGS_MAX);
  await postpone(store, ids, store.clock.now() + pause_ms).catch((cause: unknown) =>
    news.failed('store', cause, ids.length),
  );
}

/** Rows that failed together before travel in ever smaller batches, so that one bad text stands alone in the end. */
function takeBatch(own: Map<number, number>): { ids: number[]; attempts: number } {
  const [attempts = 0] = own.values();
  const ids: number[] = [];
  for (const [id, failed] of own) {
    if (failed === attempts) ids.push(id);
    if (ids.length >= Math.max(1, Math.floor(BATCH_COUNT / 4 ** attempts))) break;
  }
  for (const id of ids) own.delete(id);
  return { ids, attempts };
}

/** What is embedded: the text, then its circumstances. */
export function embeddedText(text: Pick<QueuedText, 'content' | 'context'>): string {
  return text.context === null ? text.content : `${text.content}\n${text.context}`;
}

function toChunks(document: EmbeddedDocument | undefined): NewChunk[] {
  return (document?.chunks ?? []).map(({ vector, start_char, end_char, tokens }) => ({
    vector: encodeVector(vector),
    start_char,
    end_char,
    tokens: tokens ?? null,
  }));
}
