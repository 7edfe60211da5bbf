// Embeddings of questions from the cache: exactly what the model gave, computed once, and a model that fails still fails.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { virtualClock } from '../../kernel/clock.ts';
import type { EmbeddedQuery, Embedder } from '../embedding/port.ts';
import { cachedEmbedder, decodeQuery, encodeQuery } from './cached-embedder.ts';
import { createInProcessCoordination } from './in-process.ts';
import type { SharedCache } from './port.ts';

const DIMENSIONS = 6;

const sharedCache = (): SharedCache =>
  createInProcessCoordination({
    leases: { acquire: async () => undefined },
    clock: virtualClock(),
    member_id: 'm',
  }).cache;

/** Vectors made from the text; counts how often it is asked. */
function countingEmbedder(id = 'model@1', dimensions = DIMENSIONS) {
  const asked: string[] = [];
  const embedder: Embedder = {
    id,
    dimensions,
    async embedQuery(text): Promise<EmbeddedQuery> {
      asked.push(text);
      const vector = Float32Array.from({ length: dimensions }, (_, i) => Math.fround((text.charCodeAt(i) || 1) / 7));
      return text.includes('plain')
        ? { vector }
        : { vector, tokens: { words: text.split(' '), vectors: new Uint8Array([1, 2, text.length]) } };
    },
    embedDocuments: async (texts) => texts.map(() => ({ chunks: [] })),
    warm: async () => {},
    status: () => ({ loaded: true, queued_queries: 0, queued_documents: 0, restarts: 0 }),
    async [Symbol.asyncDispose]() {},
  };
  return { embedder, asked };
}

test('what is read back equals what was written, byte for byte', () => {
  const arbitrary = fc.record({
    vector: fc.float32Array({ maxLength: 40 }),
    tokens: fc.option(
      fc.record({ words: fc.array(fc.string({ unit: 'binary' }), { maxLength: 8 }), vectors: fc.uint8Array() }),
      { nil: undefined },
    ),
  });
  fc.assert(
    fc.property(arbitrary, fc.nat(3), ({ vector, tokens }, offset) => {
      const query = tokens ? { vector, tokens } : { vector };
      const bytes = encodeQuery(query);
      // Bytes from a network lie anywhere in their buffer.
      const moved = new Uint8Array(bytes.length + offset);
      moved.set(bytes, offset);
      const back = decodeQuery(moved.subarray(offset));
      expect(Buffer.from(back!.vector.buffer)).toEqual(
        Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength),
      );
      expect(back!.tokens).toEqual(tokens);
      expect(decodeQuery(Buffer.from(bytes))).toEqual(back);
    }),
  );
});

test('bytes of anything else are a miss', () => {
  const good = encodeQuery({ vector: new Float32Array(4), tokens: { words: ['a'], vectors: new Uint8Array(9) } });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(good.length - 1), (junk, cut) => {
      expect(decodeQuery(junk)).toBeUndefined();
      expect(decodeQuery(good.subarray(0, cut))).toBeUndefined();
    }),
  );
});

test('a question is computed once for all who share the cache', async () => {
  const cache = sharedCache();
  const [one, two] = [countingEmbedder(), countingEmbedder()];
  const [a, b] = [cachedEmbedder(one.embedder, cache), cachedEmbedder(two.embedder, cache)];
  for (const text of ['how to restart', 'plain words', '\ud800', '\ud801', '']) {
    const first = await a.embedQuery(text);
    expect(await a.embedQuery(text)).toEqual(first);
    expect(await b.embedQuery(text)).toEqual(await one.embedder.embedQuery(text));
  }
  expect(two.asked).toEqual([]);
});

test('models do not see each other, and a vector of the wrong length is not taken', async () => {
  const cache = sharedCache();
  await cachedEmbedder(countingEmbedder('model@1').embedder, cache).embedQuery('question');
  const other = countingEmbedder('model@2');
  await cachedEmbedder(other.embedder, cache).embedQuery('question');
  const longer = countingEmbedder('model@1', DIMENSIONS + 1);
  expect((await cachedEmbedder(longer.embedder, cache).embedQuery('question')).vector).toHaveLength(DIMENSIONS + 1);
  expect([other.asked, longer.asked]).toEqual([['question'], ['question']]);
});

test('a failure is not kept, and an aborted question is not asked', async () => {
  const { embedder, asked } = countingEmbedder();
  let down = true;
  const flaky = cachedEmbedder(
    {
      ...embedder,
      embedQuery: (text, options) => (down ? Promise.reject(new Error('away')) : embedder.embedQuery(text, options)),
    },
    sharedCache(),
  );
  await expect(flaky.embedQuery('x')).rejects.toThrow('away');
  down = false;
  await flaky.embedQuery('x');
  expect(asked).toEqual(['x']);
  await expect(flaky.embedQuery('x', { signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped');
});
