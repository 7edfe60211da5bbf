import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../kernel/limits.ts';
import { detectFormat, suggestV2 } from './guide.ts';

const PROSE =
  'The checkout service was returning errors because the database was overloaded. We increased the pool size in order to handle the load, which resulted in fewer timeouts. Region: eu-west-1';

test.each([
  ['auth(key) → search(query) → results::JSON', 'v2'],
  ['| host | role |\n| db1 | primary |', 'v2'],
  ['[DB1]: primary postgres\n[DB1] → replica?', 'v2'],
  [PROSE, 'v1'],
  ['The release went out on Friday and everything was fine.', 'v1'],
] as const)('%s is %s', (text, version) => {
  expect(detectFormat(text)).toBe(version);
});

test('verbose text gets a shorter form that keeps names and numbers', () => {
  const suggestion = suggestV2(PROSE);
  expect(suggestion).toContain('eu-west-1');
  expect(suggestion).toContain('←');
  expect(suggestion?.length).toBeLessThan(PROSE.length * 0.9);
});

test('any text has a format, and a suggestion is never longer', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 500 }), (text) => {
      expect(['v1', 'v2']).toContain(detectFormat(text));
      expect(suggestV2(text)?.length ?? 0).toBeLessThanOrEqual(text.length);
    }),
  );
});

test.each(['a1b2c3', '\n', ' ', '|', '| ', 'x ,', '!', ' because'])(
  'a text of the greatest length made of %j is judged and compressed in one go',
  (unit) => {
    // A pattern that goes back over the text would run into the time limit of the test.
    const text = `a${unit.repeat(Math.ceil(limits.content_length_max_chars / unit.length))}b`;
    expect(['v1', 'v2']).toContain(detectFormat(text));
    expect(suggestV2(`The cause is the disk. ${text}`)?.length ?? 0).toBeLessThanOrEqual(text.length);
  },
);
