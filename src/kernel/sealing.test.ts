// What is sealed opens with its key at its place, and nowhere else.
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HaivemindError } from './errors.ts';
import { SEALING_KEY_BYTES, seal, unseal } from './sealing.ts';

const key = fc.uint8Array({ minLength: SEALING_KEY_BYTES, maxLength: SEALING_KEY_BYTES });
const plain = fc.uint8Array({ maxLength: 200 });
const part = fc.oneof(fc.string(), fc.integer());
const bound = fc.array(part, { maxLength: 4 });

function expectRefused(open: () => unknown): void {
  try {
    open();
  } catch (error) {
    expect(error).toBeInstanceOf(HaivemindError);
    expect(error).toMatchObject({ code: 'storage_corrupt' });
    return;
  }
  expect.unreachable('it opened');
}

it('opens to what was sealed, and is longer by its head alone', () => {
  fc.assert(
    fc.property(key, plain, bound, (secret, value, parts) => {
      const sealed = seal(secret, value, parts);
      expect(sealed).toHaveLength(value.length + 29);
      expect(unseal(secret, sealed, parts)).toEqual(Buffer.from(value));
    }),
  );
});

it('does not open once any single byte differs', () => {
  fc.assert(
    fc.property(key, plain, bound, fc.integer({ min: 1, max: 255 }), (secret, value, parts, change) => {
      const sealed = seal(secret, value, parts);
      for (let at = 0; at < sealed.length; at += 1) {
        const changed = Uint8Array.from(sealed);
        changed[at] = (changed[at] ?? 0) ^ change;
        expectRefused(() => unseal(secret, changed, parts));
      }
    }),
    { numRuns: 30 },
  );
});

it('does not open cut short or with something behind it', () => {
  fc.assert(
    fc.property(key, plain, bound, (secret, value, parts) => {
      const sealed = seal(secret, value, parts);
      for (let length = 0; length < sealed.length; length += 1)
        expectRefused(() => unseal(secret, sealed.subarray(0, length), parts));
      expectRefused(() => unseal(secret, Buffer.concat([sealed, Buffer.of(0)]), parts));
    }),
    { numRuns: 30 },
  );
});

it('does not open bound to anything else: another part, one more, one less, another order, run together', () => {
  const different = fc.tuple(bound, bound).filter(([one, other]) => JSON.stringify(one) !== JSON.stringify(other));
  const near = fc
    .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), part, fc.nat())
    .map(([parts, other, number]) => {
      const at = number % parts.length;
      const changes = [
        parts.with(at, other),
        parts.toSpliced(at, 1),
        parts.toSpliced(at, 0, other),
        parts.toReversed(),
        [parts.join('')],
        parts.map((each) => (typeof each === 'number' ? String(each) : each)),
      ];
      return [parts, changes[number % changes.length] ?? []] as const;
    });
  const pairs = fc.oneof(
    different,
    near.filter(([one, other]) => JSON.stringify(one) !== JSON.stringify(other)),
  );
  fc.assert(
    fc.property(key, plain, pairs, (secret, value, [parts, others]) => {
      const sealed = seal(secret, value, parts);
      expectRefused(() => unseal(secret, sealed, others));
    }),
    { numRuns: 500 },
  );
});

it('does not open with another key, also not with one that differs by a bit', () => {
  fc.assert(
    fc.property(key, plain, bound, fc.nat({ max: SEALING_KEY_BYTES * 8 - 1 }), (secret, value, parts, bit) => {
      const sealed = seal(secret, value, parts);
      const other = Uint8Array.from(secret);
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expectRefused(() => unseal(other, sealed, parts));
    }),
  );
});

it('never uses a nonce twice', () => {
  const secret = randomBytes(SEALING_KEY_BYTES);
  const nonces = Array.from({ length: 5_000 }, () =>
    Buffer.from(seal(secret, Buffer.from('same'), ['same']).subarray(1, 13)).toString('hex'),
  );
  expect(new Set(nonces).size).toBe(nonces.length);
});
