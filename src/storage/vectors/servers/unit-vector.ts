// Stored vectors as vector servers take them.
import { readEncoded } from '../codec.ts';

/**
 * The encoded vector at length one: rounding to bytes moves the length by up to a percent, and servers that compare by
 * inner product would rank by it. A vector of zeros stays one. Throws `storage_corrupt` on a wrong number of bytes.
 */
export const unitVector = (encoded: Uint8Array, dimensions: number): Float32Array => {
  const { codes } = readEncoded(encoded, dimensions);
  let squares = 0;
  for (const code of codes) squares += code * code;
  const length = Math.sqrt(squares) || 1;
  return Float32Array.from(codes, (code) => code / length);
};
