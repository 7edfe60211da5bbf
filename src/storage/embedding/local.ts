// The embedder that runs the shipped model in a worker thread of this process.
import { Worker } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { type ErrorBody, failure, HaivemindError } from '../../kernel/errors.ts';
import type { Reply, Request, WorkerData } from './messages.ts';
import { modelId, readModelConfig } from './model-files.ts';
import type { EmbeddedDocument, EmbeddedQuery, Embedder } from './port.ts';

const QUERY_CACHE_SIZE = 256;
/** A request whose worker dies is sent to a new one once; the second death is its own answer. */
const ATTEMPTS_MAX = 2;

type Work = Extract<Request, { id: number; kind: 'warm' | 'query' | 'documents' }>;
type Pending = { request: Work; attempts: number; resolve: (reply: Reply) => void; reject: (error: unknown) => void };

export type LocalEmbedderOptions = {
  /** Folder that holds the model's files. */
  readonly models_dir: string;
  /** The worker's program; tests put one that fails here. */
  readonly worker_file?: URL;
};

/** As source the worker lies beside this file; bundled, beside the bundle. */
const workerFile = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './embedding-worker.js', import.meta.url);

const crashed = (cause: unknown) =>
  failure(
    'unavailable',
    'The embedding worker ended twice on the same text.',
    'Run `haivemind doctor`; the text stays stored and is found by its words.',
    { cause },
  );

/** A worker that is started when first needed, replaced when it dies, and asked one thing a time per id. */
const createWorkerLink = (options: LocalEmbedderOptions) => {
  const pending = new Map<number, Pending>();
  let worker: Worker | undefined;
  let restarts = 0;
  let lastId = 0;

  const onReply = (reply: Reply): void => {
    const waiting = pending.get(reply.id);
    pending.delete(reply.id);
    if (pending.size === 0) worker?.unref();
    if (reply.kind === 'failed') waiting?.reject(new HaivemindError(reply.error));
    else waiting?.resolve(reply);
  };
  const onEnd = (ended: Worker, cause: unknown): void => {
    if (worker !== ended) return;
    worker = undefined;
    for (const [id, waiting] of pending) {
      if (waiting.attempts >= ATTEMPTS_MAX) {
        pending.delete(id);
        waiting.reject(crashed(cause));
      }
    }
    if (pending.size === 0) return;
    restarts++;
    for (const waiting of pending.values()) post(waiting);
  };
  const start = (): Worker => {
    const data: WorkerData = { models_dir: options.models_dir };
    const started = new Worker(options.worker_file ?? workerFile(), { workerData: data });
    started.on('message', onReply);
    started.on('error', (error) => onEnd(started, error));
    started.on('exit', (code) => onEnd(started, new Error(`The worker ended with code ${code}.`)));
    return started;
  };
  const post = (waiting: Pending): void => {
    worker ??= start();
    worker.ref();
    waiting.attempts++;
    worker.postMessage(waiting.request);
  };

  return {
    pending,
    get restarts() {
      return restarts;
    },
    ask(make: (id: number) => Work, signal?: AbortSignal): Promise<Reply> {
      signal?.throwIfAborted();
      const request = make(++lastId);
      const { promise, resolve, reject } = Promise.withResolvers<Reply>();
      pending.set(request.id, { request, attempts: 0, resolve, reject });
      post(pending.get(request.id) as Pending);
      const cancel = () => {
        pending.delete(request.id);
        worker?.postMessage({ kind: 'cancel', id: request.id } satisfies Request);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', cancel, { once: true });
      return promise.finally(() => signal?.removeEventListener('abort', cancel));
    },
    async close(): Promise<void> {
      const closing = worker;
      worker = undefined;
      for (const waiting of pending.values())
        waiting.reject(failure('cancelled', 'The embedder was closed.', 'Nothing to do.'));
      pending.clear();
      if (!closing) return;
      const ended = new Promise<void>((resolve) => closing.once('exit', () => resolve()));
      closing.ref();
      closing.postMessage({ kind: 'close' } satisfies Request);
      await ended;
    },
  };
};

/** Makes the local embedder. Throws `model_missing` when the folder has no config.json; loads nothing else yet. */
export const createLocalEmbedder = (options: LocalEmbedderOptions): Embedder => {
  const config = readModelConfig(options.models_dir);
  const link = createWorkerLink(options);
  const cache = new LRUCache<string, EmbeddedQuery>({ max: QUERY_CACHE_SIZE });
  let loaded = false;
  let error: ErrorBody | undefined;

  /** Sends a request and remembers how the model fares, for status(). */
  const ask = async (make: (id: number) => Work, signal?: AbortSignal): Promise<Reply> => {
    try {
      const reply = await link.ask(make, signal);
      loaded = true;
      error = undefined;
      return reply;
    } catch (cause) {
      if (cause instanceof HaivemindError && cause.code !== 'cancelled') error = cause.toJSON();
      throw cause;
    }
  };

  const queued = (kind: Work['kind']): number =>
    [...link.pending.values()].filter(({ request }) => request.kind === kind).length;

  return {
    id: modelId(config),
    dimensions: config.dimensions,
    async embedQuery(text, { signal } = {}) {
      const known = cache.get(text);
      if (known) return known;
      const reply = await ask((id) => ({ kind: 'query', id, text: text.toWellFormed() }), signal);
      if (reply.kind !== 'query') throw crashed(reply);
      cache.set(text, reply.query);
      return reply.query;
    },
    async embedDocuments(texts, { signal } = {}): Promise<EmbeddedDocument[]> {
      if (texts.length === 0) return [];
      const reply = await ask(
        (id) => ({ kind: 'documents', id, texts: texts.map((text) => text.toWellFormed()) }),
        signal,
      );
      if (reply.kind !== 'documents') throw crashed(reply);
      return reply.documents;
    },
    async warm() {
      await ask((id) => ({ kind: 'warm', id }));
    },
    status: () => ({
      loaded,
      queued_queries: queued('query'),
      queued_documents: queued('documents'),
      restarts: link.restarts,
      ...(error ? { error } : {}),
    }),
    [Symbol.asyncDispose]: () => link.close(),
  };
};
