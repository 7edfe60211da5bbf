// What the worker does with texts: chunks of documents into batches, token vectors for what is short.
import { STOP_WORDS } from '../text/stop-words.ts';
import { type ChunkLimits, chunkText, type TextChunk, wordsWithIds } from './chunking.ts';
import type { Encoder } from './encoder.ts';
import type { EmbeddedChunk, EmbeddedQuery } from './port.ts';
import { packTokens } from './token-vectors.ts';

/** The window less the two marks; a tenth of it is shared with the next piece; 128 pieces cover 100,000 characters. */
const CHUNKS = { overlap_ids: 25, chunks_max: 128 } as const;
/** Late interaction only helps where texts are short, and its vectors cost 96 bytes a token. */
const STORED_TOKENS_MAX = 48;
/** A batch holds at most this many texts, and this many token positions: about 40 ms, the longest a query waits. */
const BATCH_TEXTS_MAX = 16;
const BATCH_POSITIONS_MAX = 512;

/** A piece of a document waiting for its vector. */
export type PendingChunk = { readonly document: number; readonly chunk: TextChunk; readonly short: boolean };

const limitsOf = (encoder: Encoder): ChunkLimits => ({ ...CHUNKS, ids_max: encoder.config.maxTokens - 2 });

const marked = (encoder: Encoder, chunk: TextChunk): number[] => {
  const { cls, sep } = encoder.config.tokenizer;
  return [cls, ...chunk.words.flatMap((word) => word.ids).slice(0, encoder.config.maxTokens - 2), sep];
};

const lengthOf = (chunk: TextChunk): number => chunk.words.reduce((sum, word) => sum + word.ids.length, 2);

/** Positions (in the marked ids) and words of the tokens that carry a topic. All lexical ones if none does. */
const tellingTokens = (encoder: Encoder, text: string, chunk: TextChunk): { position: number; word: string }[] => {
  const all: { position: number; word: string }[] = [];
  let position = 1;
  for (const { start, end, ids } of chunk.words) {
    const parts =
      text
        .slice(start, end)
        .toLowerCase()
        .match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
    const word = parts.length === 1 ? (parts[0] ?? '') : parts.join(' ');
    for (const id of ids) {
      if (encoder.isLexical(id) && position < encoder.config.maxTokens - 1) all.push({ position, word });
      position++;
    }
  }
  const telling = all.filter(({ word }) => !STOP_WORDS.has(word));
  return telling.length > 0 ? telling : all;
};

/** Cuts documents into pieces, longest pieces last, so that batches hold texts of like length. */
export const planDocuments = (encoder: Encoder, texts: readonly string[]): PendingChunk[] =>
  texts
    .flatMap((text, document) => {
      const chunks = chunkText(text, wordsWithIds(text, encoder.idsOf), limitsOf(encoder));
      return chunks.map((chunk) => ({ document, chunk, short: chunks.length === 1 }));
    })
    .sort((a, b) => lengthOf(a.chunk) - lengthOf(b.chunk));

/** How many of the pending pieces, from the first, go into the next batch. */
export const nextBatchSize = (pending: readonly PendingChunk[]): number => {
  let size = 0;
  while (size < Math.min(pending.length, BATCH_TEXTS_MAX)) {
    const piece = pending[size];
    if (!piece || (size > 0 && (size + 1) * lengthOf(piece.chunk) > BATCH_POSITIONS_MAX)) break;
    size++;
  }
  return size;
};

/** Vectors for one batch of pieces. */
export const encodeChunks = async (
  encoder: Encoder,
  texts: readonly string[],
  batch: readonly PendingChunk[],
): Promise<EmbeddedChunk[]> => {
  const chosen = batch.map(({ document, chunk, short }) => {
    const telling = short ? tellingTokens(encoder, texts[document] ?? '', chunk) : [];
    return telling.length <= STORED_TOKENS_MAX ? telling.map((token) => token.position) : [];
  });
  const withTokens = chosen.some((positions) => positions.length > 0);
  const encoded = await encoder.run(
    batch.map(({ chunk }) => marked(encoder, chunk)),
    withTokens,
  );
  return batch.map(({ chunk }, index) => {
    const { vector = new Float32Array(), states } = encoded[index] ?? {};
    const place = { vector, start_char: chunk.start_char, end_char: chunk.end_char };
    const positions = chosen[index] ?? [];
    return states && positions.length > 0 ? { ...place, tokens: packTokens(encoder.basis, states, positions) } : place;
  });
};

/** A question's vector and token vectors; what exceeds the window is left out. */
export const encodeQuery = async (encoder: Encoder, text: string): Promise<EmbeddedQuery> => {
  const [chunk] = chunkText(text, wordsWithIds(text, encoder.idsOf), { ...limitsOf(encoder), chunks_max: 1 });
  if (!chunk) return { vector: new Float32Array(encoder.config.dimensions) };
  const [encoded] = await encoder.run([marked(encoder, chunk)], true);
  const telling = tellingTokens(encoder, text, chunk);
  const vector = encoded?.vector ?? new Float32Array(encoder.config.dimensions);
  if (!encoded?.states || telling.length === 0) return { vector };
  const vectors = packTokens(
    encoder.basis,
    encoded.states,
    telling.map((token) => token.position),
  );
  return { vector, tokens: { words: telling.map((token) => token.word), vectors } };
};
