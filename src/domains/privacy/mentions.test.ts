// What counts as a mention of a name, and what is left alone.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createNameMatcher } from './mentions.ts';

const ada = createNameMatcher('ada');

test.each(['ada', 'Ask ADA.', 'ada@example.com', 'ses_ada', '"ada"', 'to:ada,bob', '/home/ada/x', "Ada's"])(
  '%j mentions ada',
  (text) => {
    expect(ada.mentionedIn(text)).toBe(true);
    expect(ada.replace(text, 'erased-1')).toBe(text.replace(/ada/i, 'erased-1'));
  },
);

test.each(['Adam', 'Canada', 'ada1', '', 'a d a', 'armada-fleet'])('%j does not', (text) => {
  expect(ada.mentionedIn(text)).toBe(false);
  expect(ada.replace(text, 'erased-1')).toBe(text);
});

test('an address as it stands in a URL', () => {
  const matcher = createNameMatcher('ada@example.com');
  expect(matcher.replace('?user=ada%40example.com&x', 'erased-1')).toBe('?user=erased-1&x');
});

test('a name that cannot be told from words is refused', () => {
  expect(() => createNameMatcher('ab')).toThrow(/fewer than 3/);
});

test('whatever stands around it, a name as a word of its own is gone afterwards', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9._@-]{1,12}[a-z0-9]$/);
  const between = fc.stringMatching(/^[ .,;:/_"'()-]{1,5}$/);
  fc.assert(
    fc.property(name, between, between, fc.boolean(), (user, before, after, upper) => {
      const matcher = createNameMatcher(user);
      const text = `${before}${upper ? user.toUpperCase() : user}${after}`;
      expect(matcher.replace(text, '#')).toBe(`${before}#${after}`);
    }),
  );
});
