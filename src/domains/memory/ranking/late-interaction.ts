// Late interaction: each token of the question looks for its nearest token in a text, and the rarer it is the more it
// counts. MaxSim of Khattab and Zaharia, "ColBERT" (SIGIR 2020), over the embedding model's own token vectors.
import { readTokens } from '../../../storage/embedding/token-vectors.ts';
import type { QueryTokens } from './types.ts';

/** A question prepared for comparison: one weight a token, adding up to 1. */
export type Interaction = { readonly codes: Int8Array; readonly dimensions: number; readonly weights: Float64Array };

/** Square of the code that stands for 1. */
const UNIT = 127 * 127;

/** Undefined when the question has no token vectors. */
export const prepareInteraction = (
  tokens: QueryTokens,
  rarity: ReadonlyMap<string, number>,
): Interaction | undefined => {
  const matrix = readTokens(tokens.vectors);
  if (!matrix || matrix.count === 0) return undefined;
  const known = [...rarity.values()];
  const average = known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : 1;
  const weights = Float64Array.from({ length: matrix.count }, (_, i) => rarity.get(tokens.words[i] ?? '') ?? average);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total <= 0) weights.fill(1 / matrix.count);
  else
    weights.forEach((weight, i) => {
      weights[i] = weight / total;
    });
  return { codes: matrix.codes, dimensions: matrix.dimensions, weights };
};

const bestMatch = (query: Int8Array, at: number, text: Int8Array, dimensions: number): number => {
  let best = 0;
  for (let start = 0; start < text.length; start += dimensions) {
    let sum = 0;
    for (let i = 0; i < dimensions; i++) sum += (query[at + i] as number) * (text[start + i] as number);
    if (sum > best) best = sum;
  }
  return best;
};

/** How well a text's tokens answer the question's, 0..1; undefined when its token vectors are of another kind. */
export const maxSim = (interaction: Interaction, packed: Uint8Array): number | undefined => {
  const { codes, dimensions, weights } = interaction;
  const text = readTokens(packed);
  if (!text || text.count === 0 || text.dimensions !== dimensions) return undefined;
  let sum = 0;
  weights.forEach((weight, token) => {
    sum += weight * bestMatch(codes, token * dimensions, text.codes, dimensions);
  });
  return sum / UNIT;
};
