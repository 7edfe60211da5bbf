// A vector as bytes: one float32 scale, then one signed byte a dimension. Cosines change by less than 0.001.
import { failure } from '../../kernel/errors.ts';

const SCALE_BYTES = 4;
const STEPS = 127;

/** Bytes one stored vector takes. */
export const encodedBytes = (dimensions: number): number => SCALE_BYTES + dimensions;

/** Encodes a vector; the largest component uses the whole range. */
export const encodeVector = (vector: Float32Array): Uint8Array => {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  const out = new Uint8Array(encodedBytes(vector.length));
  const scale = largest / STEPS;
  new DataView(out.buffer).setFloat32(0, scale, true);
  const codes = new Int8Array(out.buffer, SCALE_BYTES);
  if (scale > 0)
    vector.forEach((value, i) => {
      codes[i] = Math.round(value / scale);
    });
  return out;
};

/** The scale and the signed codes inside encoded bytes, without a copy. Throws `storage_corrupt` on a wrong length. */
export const readEncoded = (bytes: Uint8Array, dimensions: number): { scale: number; codes: Int8Array } => {
  if (bytes.length !== encodedBytes(dimensions)) {
    throw failure(
      'storage_corrupt',
      `A stored vector has ${bytes.length} bytes where ${encodedBytes(dimensions)} belong.`,
      'Run `haivemind doctor`; it makes the vectors of such memories again.',
    );
  }
  const scale = new DataView(bytes.buffer, bytes.byteOffset, SCALE_BYTES).getFloat32(0, true);
  return { scale, codes: new Int8Array(bytes.buffer, bytes.byteOffset + SCALE_BYTES, dimensions) };
};

/** The vector that was encoded, as near as its bytes hold it. */
export const decodeVector = (bytes: Uint8Array): Float32Array => {
  const { scale, codes } = readEncoded(bytes, bytes.length - SCALE_BYTES);
  return Float32Array.from(codes, (code) => code * scale);
};
