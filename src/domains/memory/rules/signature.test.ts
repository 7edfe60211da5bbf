import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bandKeys, jaccard, shingles } from './signature.ts';

const NOTE =
  'The checkout service returned 502 errors because the upstream keepalive timeout of the ingress was longer than the idle timeout of Tomcat, fixed by setting it to nine seconds in both clusters';

test('a text with one changed word shares a band with the original; another text does not', () => {
  const original = bandKeys(shingles(NOTE));
  const edited = bandKeys(shingles(NOTE.replace('nine', 'eight')));
  const other = bandKeys(
    shingles('Rotate the signing key of the package mirror every quarter and announce it in the platform channel'),
  );
  expect(original.some((key) => edited.includes(key))).toBe(true);
  expect(original.some((key) => other.includes(key))).toBe(false);
});

test('case and punctuation do not matter', () => {
  expect(jaccard(shingles('Restart, the Service now!'), shingles('restart the service now'))).toBe(1);
});

test('band keys are exact integers and depend on the text alone', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      const keys = bandKeys(shingles(text));
      expect(keys).toEqual(bandKeys(shingles(text)));
      expect(keys.every(Number.isSafeInteger)).toBe(true);
    }),
  );
});
