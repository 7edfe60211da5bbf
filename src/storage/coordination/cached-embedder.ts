// Embeddings of questions found again: first in this process, then in the cache that hubs share.
import { createHash } from 'node:crypto';
import { endianness } from 'node:os';
import { LRUCache } from 'lru-cache';
import { limits } from '../../kernel/limits.ts';
import type { EmbeddedQuery, Embedder } from '../embedding/port.ts';
import type { SharedCache } from './port.ts';

const MEMORY_QUERIES_COUNT = 1_000;
/** Numbers lie in this machine's byte order: one with the other order finds nothing of ours, and we nothing of its. */
const FORMAT_VERSION = endianness() === 'LE' ? 1 : 2;
const HEADER_BYTES = 16;
const FLOAT_BYTES = 4;

/**
 * The same embedder, except that a question seen before, here or by another hub, is not computed again; what is found
 * equals what was computed byte for byte. Documents pass through: each is embedded once. Disposes the inner one.
 */
export function cachedEmbedder(inner: Embedder, cache: SharedCache): Embedder {
  const near = new LRUCache<string, EmbeddedQuery>({ max: MEMORY_QUERIES_COUNT });

  async function fromCache(key: string): Promise<EmbeddedQuery | undefined> {
    const bytes = await cache.get(key);
    const query = bytes && decodeQuery(bytes);
    return query?.vector.length === inner.dimensions ? query : undefined;
  }

  return {
    id: inner.id,
    dimensions: inner.dimensions,
    async embedQuery(text, options) {
      options?.signal?.throwIfAborted();
      const key = queryKey(inner.id, text);
      const known = near.get(key) ?? (await fromCache(key));
      if (known) {
        near.set(key, known);
        return known;
      }
      const query = await inner.embedQuery(text, options);
      near.set(key, query);
      // Not waited for: the answer is there.
      void cache.set(key, encodeQuery(query), { ttl_ms: limits.query_embedding_ttl_ms }).catch(() => {});
      return query;
    },
    embedDocuments: (texts, options) => inner.embedDocuments(texts, options),
    warm: () => inner.warm(),
    status: () => inner.status(),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
}

/** Hashed as UTF-16, so that texts which differ only in what UTF-8 cannot hold stay apart. */
function queryKey(model_id: string, text: string): string {
  return `query:${model_id}:${createHash('sha256').update(text, 'utf16le').digest('hex')}`;
}

/**
 * Layout: version, dimensions, bytes of the words (JSON), bytes of the token vectors (uint32, little endian); then the
 * float32 vector, words, token vectors. No words: no token vectors either.
 */
export function encodeQuery({ vector, tokens }: EmbeddedQuery): Uint8Array {
  const words = tokens ? Buffer.from(JSON.stringify(tokens.words)) : Buffer.alloc(0);
  const vectors = tokens?.vectors ?? new Uint8Array(0);
  const header = Buffer.alloc(HEADER_BYTES);
  [FORMAT_VERSION, vector.length, words.length, vectors.length].forEach((value, i) => {
    header.writeUInt32LE(value, i * 4);
  });
  const floats = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  return new Uint8Array(Buffer.concat([header, floats, words, vectors]));
}

/** Undefined for bytes of another version or length. */
export function decodeQuery(bytes: Uint8Array): EmbeddedQuery | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (i: number) => view.getUint32(i * 4, true);
  const wordsStart = HEADER_BYTES + field(1) * FLOAT_BYTES;
  const vectorsStart = wordsStart + field(2);
  if (field(0) !== FORMAT_VERSION || bytes.length !== vectorsStart + field(3)) return undefined;
  // Copies: a Float32Array must begin at a multiple of four. Not by slice, which shares memory where these are a Buffer.
  const vector = new Float32Array(new Uint8Array(bytes.subarray(HEADER_BYTES, wordsStart)).buffer);
  if (field(2) === 0) return { vector };
  const words = readWords(bytes.subarray(wordsStart, vectorsStart));
  return words && { vector, tokens: { words, vectors: new Uint8Array(bytes.subarray(vectorsStart)) } };
}

function readWords(bytes: Uint8Array): string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(bytes).toString());
    return Array.isArray(parsed) ? parsed.map(String) : undefined;
  } catch {
    return undefined;
  }
}
