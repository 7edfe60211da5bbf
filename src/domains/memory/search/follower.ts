// Makes vectors after the acknowledgement: a memory is found by its words at once and by its meaning a moment later.
// The queue lives in the store, so a process that dies loses nothing: another takes over when its claim ends.
import type { EmbeddedDocument, Embedder } from '../../../storage/embedding/port.ts';
import { encodeVector } from '../../../storage/vectors/codec.ts';
import type { MemoryDatabase } from '../repository.ts';
import type { VectorFollower } from '../rules/deps.ts';
import type { VectorMirror } from './mirror.ts';
import {
  claimAbandoned,
  hasAbandoned,
  type NewChunk,
  postpone,
  type QueuedText,
  queuedTexts,
  releaseClaims,
  saveVectors,
} from './vector-rows.ts';

const BATCH_COUNT = 32;
const CLAIM_MS = 60_000;
/** Expected time of one text: a long own queue claims for longer. */
const CLAIM_PER_TEXT_MS = 20;
const SWEEP_INTERVAL_MS = 5_000;
const SWEEP_COUNT = 256;
const RETRY_PAUSE_MS = 30_000;

export interface Follower extends VectorFollower {
  /** Begins to look for abandoned queue rows from time to time. */
  start(): void;
  /** Resolves when this process has nothing left to embed. Rejects when `signal` ends the wait. */
  idle(signal?: AbortSignal): Promise<void>;
  /** Takes over abandoned rows now. */
  sweep(): Promise<void>;
  /** Ends the work after the current batch and gives the rest back. */
  stop(): Promise<void>;
  depth(): number;
}

export interface FollowerDeps {
  readonly store: MemoryDatabase;
  readonly embedder: Embedder;
  readonly mirror: VectorMirror;
  readonly onError: (error: unknown, row_count: number) => void;
}

export function createFollower(deps: FollowerDeps): Follower {
  const { store, embedder, mirror } = deps;
  const own = new Set<number>();
  let working: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const claimUntil = () => store.clock.now() + CLAIM_MS + own.size * CLAIM_PER_TEXT_MS;

  function wake(): void {
    if (stopped || own.size === 0) return;
    working ??= work().finally(() => {
      working = undefined;
      wake();
    });
  }

  async function work(): Promise<void> {
    while (own.size > 0 && !stopped) {
      const ids = [...own].slice(0, BATCH_COUNT);
      for (const id of ids) own.delete(id);
      await embedBatch(ids);
    }
  }

  async function embedBatch(ids: readonly number[]): Promise<void> {
    try {
      const texts = await queuedTexts(store, ids);
      if (texts.length === 0) return;
      const documents = await embedder.embedDocuments(texts.map(embeddedText));
      await saveVectors(
        store,
        embedder.id,
        texts.map((text, i) => ({ text, chunks: toChunks(documents[i]) })),
      );
      if (mirror.loaded()) await mirror.refresh();
    } catch (error) {
      if (stopped) return;
      deps.onError(error, ids.length);
      await postpone(store, ids, store.clock.now() + RETRY_PAUSE_MS).catch((cause: unknown) =>
        deps.onError(cause, ids.length),
      );
    }
  }

  async function sweep(): Promise<void> {
    if (stopped || own.size > 0 || !(await hasAbandoned(store))) return;
    for (const id of await claimAbandoned(store, SWEEP_COUNT, claimUntil())) own.add(id);
    wake();
  }

  return {
    claimUntil,
    depth: () => own.size,
    follow(row_ids) {
      for (const id of row_ids) own.add(id);
      wake();
    },
    forget(row_ids) {
      for (const id of row_ids) {
        own.delete(id);
        mirror.index.remove(id);
      }
    },
    start() {
      timer ??= setInterval(() => void sweep().catch((error: unknown) => deps.onError(error, 0)), SWEEP_INTERVAL_MS);
      timer.unref();
      void sweep().catch((error: unknown) => deps.onError(error, 0));
    },
    sweep,
    async idle(signal) {
      while (working) {
        signal?.throwIfAborted();
        await working;
      }
    },
    async stop() {
      stopped = true;
      clearInterval(timer);
      await working;
      const rest = [...own];
      own.clear();
      if (rest.length > 0) await releaseClaims(store, rest);
    },
  };
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
