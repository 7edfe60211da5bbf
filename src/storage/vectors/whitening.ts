// Half-whitening: directions in which a collection's vectors differ much say little about any one of them, so the
// comparison gives them less weight. After Su et al., "Whitening Sentence Representations" (2021), with the exponent
// halved. Only the query is transformed: dot(W(q-m), W(d-m)) = dot(WW(q-m), d) - dot(WW(q-m), m), so stored vectors
// stay as they are and a new fit costs nothing but itself. The length of W(d-m) is left out on purpose: dividing by
// it brought nothing in a hybrid (docs/adr/0004-ranking.md) and would cost a matrix product a memory.
import { failure } from '../../kernel/errors.ts';

/** What a collection's vectors look like: their mean, and the matrix WW, symmetric, row by row. */
export type Whitening = {
  readonly dimensions: number;
  readonly fitted_rows: number;
  readonly mean: Float32Array;
  readonly matrix: Float32Array;
};

const MAGIC = 0x31_54_48_57;
const HEADER_BYTES = 12;

/** The query as it has to be compared with stored vectors, and what to subtract from each dot product. */
export const whitenQuery = (whitening: Whitening, query: Float32Array): { vector: Float32Array; offset: number } => {
  const { dimensions, mean, matrix } = whitening;
  const vector = new Float32Array(dimensions);
  const centred = query.map((value, i) => value - (mean[i] ?? 0));
  let offset = 0;
  for (let row = 0; row < dimensions; row++) {
    let sum = 0;
    for (let column = 0; column < dimensions; column++)
      sum += (matrix[row * dimensions + column] as number) * (centred[column] as number);
    vector[row] = sum;
    offset += sum * (mean[row] ?? 0);
  }
  return { vector, offset };
};

/** A fit as bytes, to be kept in the store. */
export const exportWhitening = (whitening: Whitening): Uint8Array => {
  const { dimensions, fitted_rows, mean, matrix } = whitening;
  const out = new Uint8Array(HEADER_BYTES + 4 * (dimensions + dimensions * dimensions));
  new Uint32Array(out.buffer, 0, 3).set([MAGIC, dimensions, fitted_rows]);
  new Float32Array(out.buffer, HEADER_BYTES, dimensions).set(mean);
  new Float32Array(out.buffer, HEADER_BYTES + 4 * dimensions).set(matrix);
  return out;
};

/** Reads what `exportWhitening` wrote. Throws `storage_corrupt` when the bytes are something else. */
export const importWhitening = (bytes: Uint8Array): Whitening => {
  // Not `slice`: a driver gives a Buffer, whose slice is a view into memory it shares with others.
  const copy = new Uint8Array(bytes).buffer;
  const [magic, dimensions = 0, fitted_rows = 0] = copy.byteLength >= HEADER_BYTES ? new Uint32Array(copy, 0, 3) : [];
  if (magic !== MAGIC || copy.byteLength !== HEADER_BYTES + 4 * (dimensions + dimensions * dimensions)) {
    throw failure(
      'storage_corrupt',
      'The stored fit of the vectors cannot be read.',
      'It is made anew from the vectors; nothing is lost.',
    );
  }
  return {
    dimensions,
    fitted_rows,
    mean: new Float32Array(copy, HEADER_BYTES, dimensions),
    matrix: new Float32Array(copy, HEADER_BYTES + 4 * dimensions),
  };
};
