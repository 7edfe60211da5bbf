// Finds the indexed words nearest to a word nobody wrote: how a search survives a typo in a name.
// Distance: Damerau-Levenshtein in its optimal string alignment form (Damerau 1964; Boytsov 2011, section 2.1).

/** An indexed word and in how many texts it occurs. */
export type VocabularyEntry = { readonly term: string; readonly documents: number };

export type Vocabulary = {
  readonly size: number;
  /** Adds a word; one that is already there is ignored. */
  add(term: string, documents?: number): void;
  /** Nearest words first (then the more frequent), at most `limit`; none when nothing is near enough. */
  nearest(word: string, limit: number): string[];
};

const WORD_CHARS_MIN = 4;
const WORD_CHARS_MAX = 40;
const LONG_WORD_CHARS_MIN = 8;
/** An index of stems holds `deploy` for `deployment`: a stem this long may stand for a word with such an ending. */
const STEM_CHARS_MIN = 5;
const ENDING_CHARS_MAX = 6;

/** How many edits a word of this length may be away: none below 4 letters, 1 below 8, then 2. */
export const editsAllowed = (length: number): number =>
  length < WORD_CHARS_MIN || length > WORD_CHARS_MAX ? 0 : length < LONG_WORD_CHARS_MIN ? 1 : 2;

/** Edits between two words, or `max + 1` as soon as it is clear that there are more than `max`. */
export const editDistance = (a: string, b: string, max: number): number => {
  if (Math.abs(a.length - b.length) > max) return max + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1);
      let cost = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1));
      const swapped =
        i > 1 && j > 1 && a.charCodeAt(i - 1) === b.charCodeAt(j - 2) && a.charCodeAt(i - 2) === b.charCodeAt(j - 1);
      if (swapped) cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
      if (cost < best) best = cost;
    }
    if (best > max) return max + 1;
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? max + 1;
};

const popcount = (bits: number): number => {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
};

/** Which characters occur, folded into 32 bits: one edit changes at most two of them. */
const signature = (word: string): number => {
  let bits = 0;
  for (let i = 0; i < word.length; i++) bits |= 1 << (word.charCodeAt(i) & 31);
  return bits;
};

type Bucket = { terms: string[]; documents: number[]; signatures: Int32Array };

const grown = (signatures: Int32Array): Int32Array<ArrayBuffer> => {
  const larger = new Int32Array(Math.max(16, signatures.length * 2));
  larger.set(signatures);
  return larger;
};

type Near = VocabularyEntry & { readonly distance: number };

const nearIn = (bucket: Bucket, word: string, bits: number, max: number): Near[] => {
  const found: Near[] = [];
  for (let i = 0; i < bucket.terms.length; i++) {
    if (popcount((bucket.signatures[i] ?? 0) ^ bits) > 2 * max) continue;
    const term = bucket.terms[i] ?? '';
    const distance = editDistance(word, term, max);
    if (distance <= max) found.push({ term, documents: bucket.documents[i] ?? 0, distance });
  }
  return found;
};

const stemsOf = (buckets: ReadonlyMap<number, Bucket>, word: string): Near[] => {
  const shortest = Math.max(STEM_CHARS_MIN, word.length - ENDING_CHARS_MAX);
  for (let length = word.length - 1; length >= shortest; length--) {
    const bucket = buckets.get(length);
    const stem = word.slice(0, length);
    const found = bucket ? nearIn(bucket, stem, signature(stem), length < LONG_WORD_CHARS_MIN ? 0 : 1) : [];
    if (found.length > 0) return found;
  }
  return [];
};

const nearestFirst = (a: Near, b: Near): number =>
  a.distance - b.distance || b.documents - a.documents || (a.term < b.term ? -1 : 1);

/** A vocabulary in memory, in buckets by length, so that a look-up reads only words that can be near. */
export const createVocabulary = (): Vocabulary => {
  const buckets = new Map<number, Bucket>();
  const known = new Set<string>();

  return {
    get size() {
      return known.size;
    },
    add(term, documents = 1) {
      if (term.length < WORD_CHARS_MIN - 1 || term.length > WORD_CHARS_MAX || known.has(term)) return;
      known.add(term);
      const bucket = buckets.get(term.length) ?? { terms: [], documents: [], signatures: new Int32Array(16) };
      if (bucket.terms.length === bucket.signatures.length) bucket.signatures = grown(bucket.signatures);
      bucket.signatures[bucket.terms.length] = signature(term);
      bucket.terms.push(term);
      bucket.documents.push(documents);
      buckets.set(term.length, bucket);
    },
    nearest(word, limit) {
      const max = editsAllowed(word.length);
      if (max === 0) return [];
      const bits = signature(word);
      const found: Near[] = [];
      for (let length = word.length - max; length <= word.length + max; length++) {
        const bucket = buckets.get(length);
        if (bucket) found.push(...nearIn(bucket, word, bits, max));
      }
      if (found.length === 0) found.push(...stemsOf(buckets, word));
      found.sort(nearestFirst);
      return found.slice(0, limit).map(({ term }) => term);
    },
  };
};
