// Cutting and splitting: nothing lost, nothing halved, nothing longer than asked.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanText, shorten, splitText } from './text.ts';

describe('splitText', () => {
  it('keeps every character but white space at the cuts, within the bound', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.integer({ min: 4, max: 60 }), (text, max) => {
        const parts = splitText(text, max);
        const bare = (value: string) => value.replaceAll(/\s/g, '');
        expect(bare(parts.join(''))).toBe(bare(text));
        for (const part of parts) {
          expect(part.length).toBeLessThanOrEqual(max);
          expect(part.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  it('prefers a blank line', () => {
    expect(splitText('first part\n\nsecond part is here', 18)).toEqual(['first part', 'second part is', 'here']);
  });
});

describe('cleanText', () => {
  it('is well formed, has no control characters and does not change when repeated', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const clean = cleanText(text);
        expect(clean.isWellFormed()).toBe(true);
        for (const char of ['\u0000', '\u001b', '\r']) expect(clean).not.toContain(char);
      }),
    );
  });
});

describe('shorten', () => {
  it('cuts between words', () => {
    expect(shorten('upstream closed the connection early', 20)).toBe('upstream closed the …');
    expect(shorten('short', 20)).toBe('short');
  });
});
