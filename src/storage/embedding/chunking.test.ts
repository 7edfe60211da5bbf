import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkText, wordsWithIds } from './chunking.ts';

const LIMITS = { ids_max: 20, overlap_ids: 4, chunks_max: 1000 };
const cut = (text: string) =>
  chunkText(
    text,
    wordsWithIds(text, (word) => Array.from(word.slice(0, 12), (_, i) => i)),
    LIMITS,
  );

describe('chunking', () => {
  it('covers every word, in order, within the limit, and always ends', () => {
    const word = fc.constantFrom('a', 'bb.', 'ccc', 'dddd\n', 'eeeeee', 'f!', 'a-very-long-word-that-goes-on');
    fc.assert(
      fc.property(fc.array(word, { maxLength: 120 }), (words) => {
        const text = words.join(' ');
        const chunks = cut(text);
        let covered = 0;
        for (const chunk of chunks) {
          expect(chunk.words.reduce((sum, each) => sum + each.ids.length, 0)).toBeLessThanOrEqual(LIMITS.ids_max);
          expect(text.slice(covered, chunk.start_char).trim()).toBe('');
          expect(chunk.end_char).toBeGreaterThanOrEqual(covered);
          covered = chunk.end_char;
        }
        expect(text.slice(covered).trim()).toBe('');
      }),
    );
  });
  it('prefers to end at a sentence', () => {
    const [first] = cut('one two three four five. six seven eight nine');
    expect(first!.end_char).toBe('one two three four five.'.length);
  });
  it('is one piece for a short or empty text', () => {
    expect(cut('one two')).toHaveLength(1);
    expect(cut('')).toEqual([{ start_char: 0, end_char: 0, words: [] }]);
  });
  it('stops at the largest number of pieces', () => {
    const text = 'word '.repeat(500);
    expect(
      chunkText(
        text,
        wordsWithIds(text, () => [1]),
        { ...LIMITS, chunks_max: 3 },
      ),
    ).toHaveLength(3);
  });
});
