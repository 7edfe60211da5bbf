// Two implementations of Argon2id have to agree, as a store may move between versions of Node.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ARGON2_RECOMMENDED, derive, deriveInJavaScript, deriveNatively } from './argon2.ts';

it('is the same in JavaScript as by Node itself', async () => {
  const settings = fc.record({
    memory_kib: fc.integer({ min: 64, max: 256 }),
    passes: fc.integer({ min: 1, max: 3 }),
    lanes: fc.integer({ min: 1, max: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 1, unit: 'binary' }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      settings,
      async (passphrase, salt, cost) => {
        const natively = await deriveNatively(passphrase, salt, cost);
        expect(Buffer.from(await deriveInJavaScript(passphrase, salt, cost))).toEqual(Buffer.from(natively));
      },
    ),
    { numRuns: 20 },
  );
});

it('gives 32 bytes at the recommended cost, and others with another salt', async () => {
  const passphrase = crypto.randomUUID();
  const salts = [randomBytes(16), randomBytes(16)] as const;
  const keys = await Promise.all(salts.map((salt) => derive(passphrase, salt, ARGON2_RECOMMENDED)));
  expect(keys.map((key) => key.length)).toEqual([32, 32]);
  expect(keys[0]).not.toEqual(keys[1]);
});
