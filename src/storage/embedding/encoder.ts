// The local model: texts to token ids, ids to vectors. Blocks its thread while it computes, so it lives in worker.ts.
import { Tokenizer } from '@huggingface/tokenizers';
import { LRUCache } from 'lru-cache';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  MODEL_FILE,
  type ModelConfig,
  readModelFile,
  readVerified,
  TOKEN_BASIS_FILE,
  TOKENIZER_FILE,
} from './model-files.ts';
import { readTokenBasis, type TokenBasis } from './token-vectors.ts';

const WORD_CACHE_SIZE = 20_000;
const SENTENCE = 'sentence_embedding';
const TOKENS = 'token_embeddings';

/** One text's result: its vector, and its token states (`ids.length` rows) when they were asked for. */
export type Encoded = { readonly vector: Float32Array; readonly states?: Float32Array };

export type Encoder = {
  readonly config: ModelConfig;
  readonly basis: TokenBasis;
  /** Token ids of one word, without the marks of begin and end. */
  idsOf(word: string): readonly number[];
  /** True for a token that is a word or a part of one; false for punctuation. */
  isLexical(id: number): boolean;
  /** Vectors of several id lists (marks included), computed together. */
  run(batch: readonly (readonly number[])[], withTokens: boolean): Promise<Encoded[]>;
  close(): Promise<void>;
};

const int64 = (values: readonly number[][], width: number): Tensor => {
  const flat = new BigInt64Array(values.length * width);
  values.forEach((row, r) => {
    row.forEach((value, c) => {
      flat[r * width + c] = BigInt(value);
    });
  });
  return new Tensor('int64', flat, [values.length, width]);
};

/** Loads and verifies the model of a folder. Throws `model_missing` or `model_corrupt`. Takes about 0.2 s. */
export const loadEncoder = async (directory: string, config: ModelConfig): Promise<Encoder> => {
  const model = readVerified(directory, MODEL_FILE, config);
  const tokenizer = new Tokenizer(
    JSON.parse(new TextDecoder().decode(readVerified(directory, TOKENIZER_FILE, config))),
    {},
  );
  const basis = readTokenBasis(readModelFile(directory, TOKEN_BASIS_FILE));
  // One thread that does not spin: more are faster on an idle machine and several times slower on a busy one.
  const session = await InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const words = new LRUCache<string, readonly number[]>({ max: WORD_CACHE_SIZE });

  return {
    config,
    basis,
    idsOf(word) {
      const known = words.get(word);
      if (known) return known;
      const { ids } = tokenizer.encode(word, { add_special_tokens: false });
      words.set(word, ids);
      return ids;
    },
    isLexical: (id) =>
      /[\p{L}\p{N}]/u.test(tokenizer.id_to_token(id) ?? '') &&
      id !== config.tokenizer.cls &&
      id !== config.tokenizer.sep,
    async run(batch, withTokens) {
      const width = Math.max(...batch.map((ids) => ids.length));
      const feeds = {
        input_ids: int64(
          batch.map((ids) => [...ids]),
          width,
        ),
        attention_mask: int64(
          batch.map((ids) => ids.map(() => 1)),
          width,
        ),
      };
      const output = await session.run(feeds, withTokens ? [SENTENCE, TOKENS] : [SENTENCE]);
      const sentences = output[SENTENCE]?.data as Float32Array;
      const states = output[TOKENS]?.data as Float32Array | undefined;
      return batch.map((ids, row) => {
        const vector = sentences.slice(row * config.dimensions, (row + 1) * config.dimensions);
        if (!states) return { vector };
        const first = row * width * config.dimensions;
        return { vector, states: states.subarray(first, first + ids.length * config.dimensions) };
      });
    },
    close: () => session.release(),
  };
};
