// The embedder behind an HTTP endpoint: anything that speaks OpenAI's /embeddings, or Ollama's /api/embed.
import { setTimeout as pause } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { type ErrorBody, failure, HaivemindError } from '../../kernel/errors.ts';
import { chunkByCharacters } from './http-texts.ts';
import type { EmbeddedChunk, EmbeddedDocument, EmbeddedQuery, Embedder } from './port.ts';

const QUERY_CACHE_SIZE = 256;
const BATCH_TEXTS_MAX = 32;
const ATTEMPTS_MAX = 4;
const FIRST_PAUSE_MS = 250;
const PAUSE_MS_MAX = 10_000;
const TIMEOUT_MS = 30_000;

export type HttpEmbedderOptions = {
  readonly protocol: 'openai' | 'ollama';
  /** Base address, for example https://api.openai.com/v1 or http://127.0.0.1:11434. */
  readonly url: string;
  readonly model: string;
  readonly dimensions: number;
  readonly api_key?: string | undefined;
  /** Waits between two attempts; tests give one that does not wait. */
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>;
};

const unavailable = (what: string, cause?: unknown): HaivemindError =>
  failure(
    'unavailable',
    `The embedding endpoint ${what}.`,
    'Check storage.embedding.url, model and key; memories are found by their words meanwhile.',
    cause === undefined ? {} : { cause },
  );

const invalid = (what: string): HaivemindError =>
  failure(
    'config_invalid',
    `The embedding endpoint ${what}.`,
    'Correct storage.embedding in the configuration, then start again.',
  );

const unit = (numbers: readonly number[]): Float32Array => {
  const length = Math.hypot(...numbers) || 1;
  return Float32Array.from(numbers, (value) => value / length);
};

const numbersIn = (answer: unknown, protocol: HttpEmbedderOptions['protocol']): unknown[] => {
  const body = answer as { data?: { embedding?: unknown; index?: number }[]; embeddings?: unknown[] } | null;
  if (protocol === 'ollama') return body?.embeddings ?? [];
  return [...(body?.data ?? [])].sort((a, b) => (a.index ?? 0) - (b.index ?? 0)).map((each) => each.embedding);
};

/** Reads the vectors of an answer; `config_invalid` when they are not what the configuration promises. */
const readVectors = (answer: unknown, count: number, options: HttpEmbedderOptions): Float32Array[] => {
  const vectors = numbersIn(answer, options.protocol);
  if (vectors.length !== count) throw unavailable(`answered ${vectors.length} vectors for ${count} texts`);
  return vectors.map((numbers) => {
    if (!Array.isArray(numbers) || !numbers.every((value) => Number.isFinite(value)))
      throw unavailable('answered something that is no vector');
    if (numbers.length !== options.dimensions)
      throw invalid(`gives ${numbers.length} dimensions where ${options.dimensions} are configured`);
    return unit(numbers as number[]);
  });
};

/** Milliseconds until the next attempt: what the server asks for, else doubling. */
const pauseBefore = (attempt: number, response: Response | undefined): number => {
  const asked_s = Number(response?.headers.get('retry-after') ?? Number.NaN);
  return Math.min(PAUSE_MS_MAX, Number.isFinite(asked_s) ? asked_s * 1000 : FIRST_PAUSE_MS * 2 ** attempt);
};

const isTemporary = (status: number): boolean => status === 408 || status === 429 || status >= 500;

const createClient = (options: HttpEmbedderOptions) => {
  const address = `${options.url.replace(/\/+$/, '')}${options.protocol === 'openai' ? '/embeddings' : '/api/embed'}`;
  const wait = options.wait ?? (async (ms, signal) => pause(ms, undefined, signal ? { signal } : {}));
  const headers = {
    'content-type': 'application/json',
    ...(options.api_key === undefined ? {} : { authorization: `Bearer ${options.api_key}` }),
  };

  const send = async (texts: readonly string[], signal?: AbortSignal): Promise<Response | HaivemindError> => {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const body = JSON.stringify({ model: options.model, input: texts });
    try {
      return await fetch(address, {
        method: 'POST',
        headers,
        body,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
    } catch (cause) {
      signal?.throwIfAborted();
      return unavailable(timeout.aborted ? 'did not answer in time' : 'cannot be reached', cause);
    }
  };

  /** Vectors of one batch. Tries again on 408, 429, 5xx and broken connections. */
  return async (texts: readonly string[], signal?: AbortSignal): Promise<Float32Array[]> => {
    for (let attempt = 0; ; attempt++) {
      const outcome = await send(texts, signal);
      const response = outcome instanceof Response ? outcome : undefined;
      if (response?.ok) return readVectors(await response.json().catch(() => null), texts.length, options);
      await response?.body?.cancel();
      if (response && !isTemporary(response.status))
        throw invalid(`refused the request with status ${response.status}`);
      if (attempt + 1 >= ATTEMPTS_MAX) throw response ? unavailable(`answers status ${response.status}`) : outcome;
      await wait(pauseBefore(attempt, response), signal);
    }
  };
};

/** Makes the remote embedder. It is asked for nothing until the first text. */
export const createHttpEmbedder = (options: HttpEmbedderOptions): Embedder => {
  const request = createClient(options);
  const cache = new LRUCache<string, EmbeddedQuery>({ max: QUERY_CACHE_SIZE });
  const closing = new AbortController();
  let loaded = false;
  let error: ErrorBody | undefined;
  const queued = { queries: 0, documents: 0 };

  const vectors = async (
    texts: readonly string[],
    kind: keyof typeof queued,
    signal?: AbortSignal,
  ): Promise<Float32Array[]> => {
    queued[kind]++;
    try {
      const found = await request(texts, signal ? AbortSignal.any([signal, closing.signal]) : closing.signal);
      loaded = true;
      error = undefined;
      return found;
    } catch (cause) {
      if (cause instanceof HaivemindError) error = cause.toJSON();
      throw cause;
    } finally {
      queued[kind]--;
    }
  };

  const embedDocuments: Embedder['embedDocuments'] = async (texts, { signal } = {}) => {
    const pieces = texts.flatMap((text, document) =>
      chunkByCharacters(text.toWellFormed()).map((chunk) => ({ document, chunk })),
    );
    const found = texts.map((): EmbeddedChunk[] => []);
    for (let first = 0; first < pieces.length; first += BATCH_TEXTS_MAX) {
      const batch = pieces.slice(first, first + BATCH_TEXTS_MAX);
      // A text without characters would be refused by most endpoints.
      const inputs = batch.map(
        ({ document, chunk }) => texts[document]?.slice(chunk.start_char, chunk.end_char) || ' ',
      );
      const answers = await vectors(inputs, 'documents', signal);
      batch.forEach(({ document, chunk }, index) => {
        const vector = answers[index] ?? new Float32Array(options.dimensions);
        found[document]?.push({ vector, start_char: chunk.start_char, end_char: chunk.end_char });
      });
    }
    return found.map((chunks): EmbeddedDocument => ({ chunks }));
  };

  return {
    id: `${options.protocol}:${options.model}@${options.dimensions}`,
    dimensions: options.dimensions,
    async embedQuery(text, { signal } = {}) {
      const known = cache.get(text);
      if (known) return known;
      const [vector = new Float32Array(options.dimensions)] = await vectors(
        [text.toWellFormed() || ' '],
        'queries',
        signal,
      );
      const query = { vector };
      cache.set(text, query);
      return query;
    },
    embedDocuments,
    async warm() {},
    status: () => ({
      loaded,
      queued_queries: queued.queries,
      queued_documents: queued.documents,
      restarts: 0,
      ...(error ? { error } : {}),
    }),
    async [Symbol.asyncDispose]() {
      closing.abort(failure('cancelled', 'The embedder was closed.', 'Nothing to do.'));
    },
  };
};
