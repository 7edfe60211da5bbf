// The bench runs and compares what it says: figures that are numbers, for both acts and every size.
import { expect, test } from 'vitest';
import { measureVaults } from './run.ts';

test('measures storing and retrieving at each size', async () => {
  const times = await measureVaults(3);
  expect(times.map(({ act }) => act)).toEqual(['store', 'retrieve', 'store', 'retrieve', 'store', 'retrieve']);
  for (const { sealed_ms, plain_ms, ratio } of times) {
    expect(sealed_ms).toBeGreaterThan(0);
    expect(ratio).toBeCloseTo(sealed_ms / plain_ms);
  }
});
