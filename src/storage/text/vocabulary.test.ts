import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createVocabulary, editDistance } from './vocabulary.ts';

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 8 });

/** The plain textbook recurrence, without cut-offs. */
const slowDistance = (a: string, b: string): number => {
  const at = (i: number, j: number): number => {
    if (i === 0 || j === 0) return i + j;
    const options = [at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)];
    if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) options.push(at(i - 2, j - 2) + 1);
    return Math.min(...options);
  };
  return at(a.length, b.length);
};

describe('edit distance', () => {
  it('equals the definition up to its bound', () => {
    const short = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 5 });
    fc.assert(
      fc.property(short, short, fc.integer({ min: 0, max: 3 }), (a, b, max) => {
        const exact = slowDistance(a, b);
        const got = editDistance(a, b, max);
        if (exact <= max) expect(got).toBe(exact);
        else expect(got).toBeGreaterThan(max);
      }),
    );
  });
});

describe('vocabulary', () => {
  it('finds every word within the allowed edits', () => {
    fc.assert(
      fc.property(fc.uniqueArray(letters, { maxLength: 30 }), letters, (words, word) => {
        const vocabulary = createVocabulary();
        for (const each of words) vocabulary.add(each);
        const max = word.length < 4 ? 0 : word.length < 8 ? 1 : 2;
        const expected = words.filter((each) => max > 0 && each.length >= 3 && editDistance(word, each, max) <= max);
        if (expected.length > 0) expect(new Set(vocabulary.nearest(word, 1000))).toEqual(new Set(expected));
      }),
    );
  });
  it('prefers fewer edits, then the more frequent word', () => {
    const vocabulary = createVocabulary();
    vocabulary.add('proxy', 3);
    vocabulary.add('prox', 9);
    vocabulary.add('praxy', 90);
    expect(vocabulary.nearest('proxy', 3)).toEqual(['proxy', 'praxy', 'prox']);
  });
  it('leaves short words alone and knows stems', () => {
    const vocabulary = createVocabulary();
    for (const word of ['cat', 'replic', 'authent']) vocabulary.add(word);
    expect(vocabulary.nearest('car', 3)).toEqual([]);
    expect(vocabulary.nearest('replicaton', 3)).toEqual(['replic']);
    expect(vocabulary.nearest('authentcation', 3)).toEqual(['authent']);
  });
});
