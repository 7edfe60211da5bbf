import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeVector } from '../codec.ts';
import { unitVector } from './unit-vector.ts';

const DIMENSIONS = 32;
const length = (vector: Float32Array) => Math.hypot(...vector);

describe('unitVector', () => {
  it('gives the direction of what was encoded, at length one', () => {
    const component = fc.float({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(component, { minLength: DIMENSIONS, maxLength: DIMENSIONS }), (numbers) => {
        const given = Float32Array.from(numbers);
        fc.pre(length(given) > 0.01);
        const found = unitVector(encodeVector(given), DIMENSIONS);
        expect(length(found)).toBeCloseTo(1, 5);
        const cosine = found.reduce((sum, value, i) => sum + (value * (given[i] ?? 0)) / length(given), 0);
        expect(cosine).toBeGreaterThan(0.999);
      }),
    );
  });

  it('leaves a vector of zeros as it is', () => {
    expect([...unitVector(encodeVector(new Float32Array(4)), 4)]).toEqual([0, 0, 0, 0]);
  });

  it('refuses bytes of another length', () => {
    expect(() => unitVector(new Uint8Array(7), 4)).toThrow(/7 bytes where 8 belong/);
  });
});
