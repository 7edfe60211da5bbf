import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeVector, encodedBytes, encodeVector } from './codec.ts';

describe('vector codec', () => {
  it('gives a vector back to within half a step', () => {
    const number = fc.float({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 40 }), (values) => {
        const vector = Float32Array.from(values);
        const back = decodeVector(encodeVector(vector));
        const step = Math.max(...vector.map(Math.abs)) / 127;
        back.forEach((value, i) => {
          expect(Math.abs(value - vector[i]!)).toBeLessThanOrEqual(step * 0.5001 + 1e-9);
        });
      }),
    );
  });
  it('takes a byte a dimension and four more', () => {
    expect(encodeVector(new Float32Array(384)).length).toBe(encodedBytes(384));
    expect(encodedBytes(384)).toBe(388);
  });
});
