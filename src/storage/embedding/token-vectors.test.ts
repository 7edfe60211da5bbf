import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packTokens, readTokenBasis, readTokens, writeTokenBasis } from './token-vectors.ts';

const basis = { dimensions: 2, source_dimensions: 3, rows: Float32Array.from([1, 0, 0, 0, 1, 0]) };

describe('token vectors', () => {
  it('keeps the chosen rows, projected and of unit length', () => {
    const packed = packTokens(basis, Float32Array.from([9, 9, 9, 3, 4, 0, 0, -2, 5]), [1, 2]);
    const { count, dimensions, codes } = readTokens(packed)!;
    expect([count, dimensions]).toEqual([2, 2]);
    expect([...codes].map((code) => code / 127)).toEqual([76 / 127, 102 / 127, 0, -1]);
  });
  it('reads nothing from other bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const read = readTokens(bytes);
        if (read) expect(read.codes.length).toBe(read.count * read.dimensions);
      }),
    );
    expect(readTokens(new Uint8Array([2, 1, 0, 0]))).toBeUndefined();
    expect(readTokens(packTokens(basis, new Float32Array(3), [0]).slice(0, -1))).toBeUndefined();
  });
  it('writes a basis that reads back within half a step', () => {
    const back = readTokenBasis(writeTokenBasis(basis));
    expect(back.dimensions).toBe(2);
    back.rows.forEach((value, i) => {
      expect(value).toBeCloseTo(basis.rows[i]!, 2);
    });
  });
});
