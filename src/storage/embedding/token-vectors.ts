// Token vectors made small: projected on the main directions of a fixed basis, unit length, a signed byte a number.
// Layout: version, dimensions, count (uint16, little endian), then `count` rows of `dimensions` bytes.

const VERSION = 1;
const HEADER_BYTES = 4;
const STEPS = 127;
const SCALE_BYTES = 4;

/** Directions to project on, row by row. */
export type TokenBasis = {
  readonly dimensions: number;
  readonly source_dimensions: number;
  readonly rows: Float32Array;
};

/** Token vectors, readable: row `i` is codes[i*dimensions .. (i+1)*dimensions), each code = component * 127. */
export type TokenMatrix = { readonly count: number; readonly dimensions: number; readonly codes: Int8Array };

/** Reads a basis file: dimensions, source dimensions (uint16 each), then per row a float32 scale and signed bytes. */
export const readTokenBasis = (bytes: Uint8Array): TokenBasis => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dimensions = view.getUint16(0, true);
  const source_dimensions = view.getUint16(2, true);
  const rows = new Float32Array(dimensions * source_dimensions);
  let at = 4;
  for (let row = 0; row < dimensions; row++) {
    const scale = view.getFloat32(at, true);
    at += SCALE_BYTES;
    for (let i = 0; i < source_dimensions; i++) rows[row * source_dimensions + i] = view.getInt8(at++) * scale;
  }
  return { dimensions, source_dimensions, rows };
};

/** Writes what `readTokenBasis` reads. */
export const writeTokenBasis = ({ dimensions, source_dimensions, rows }: TokenBasis): Uint8Array => {
  const out = new Uint8Array(4 + dimensions * (SCALE_BYTES + source_dimensions));
  const view = new DataView(out.buffer);
  view.setUint16(0, dimensions, true);
  view.setUint16(2, source_dimensions, true);
  let at = 4;
  for (let row = 0; row < dimensions; row++) {
    const values = rows.subarray(row * source_dimensions, (row + 1) * source_dimensions);
    const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) / STEPS || 1;
    view.setFloat32(at, scale, true);
    at += SCALE_BYTES;
    for (const value of values) view.setInt8(at++, Math.round(value / scale));
  }
  return out;
};

/** Projects the chosen rows of a model's token output (`states`, one row a token) and packs them. */
export const packTokens = (basis: TokenBasis, states: Float32Array, chosen: readonly number[]): Uint8Array => {
  const { dimensions, source_dimensions, rows } = basis;
  const out = new Uint8Array(HEADER_BYTES + chosen.length * dimensions);
  out[0] = VERSION;
  out[1] = dimensions;
  new DataView(out.buffer).setUint16(2, chosen.length, true);
  const codes = new Int8Array(out.buffer, HEADER_BYTES);
  const projected = new Float64Array(dimensions);
  chosen.forEach((token, index) => {
    const base = token * source_dimensions;
    let squares = 0;
    for (let row = 0; row < dimensions; row++) {
      let sum = 0;
      for (let i = 0; i < source_dimensions; i++)
        sum += (rows[row * source_dimensions + i] as number) * (states[base + i] as number);
      projected[row] = sum;
      squares += sum * sum;
    }
    const length = Math.sqrt(squares) || 1;
    for (let row = 0; row < dimensions; row++)
      codes[index * dimensions + row] = Math.round(((projected[row] as number) / length) * STEPS);
  });
  return out;
};

/** Reads packed token vectors without a copy; undefined when the bytes are not of this version or cut short. */
export const readTokens = (bytes: Uint8Array): TokenMatrix | undefined => {
  if (bytes.length < HEADER_BYTES || bytes[0] !== VERSION) return undefined;
  const dimensions = bytes[1] ?? 0;
  const count = (bytes[2] ?? 0) + 256 * (bytes[3] ?? 0);
  if (bytes.length !== HEADER_BYTES + count * dimensions) return undefined;
  return { count, dimensions, codes: new Int8Array(bytes.buffer, bytes.byteOffset + HEADER_BYTES, count * dimensions) };
};
