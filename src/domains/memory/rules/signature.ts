// Near-duplicate candidates in constant time: min-hash over word pairs, split into bands (Broder 1997; Leskovec et al., ch. 3).
// A lookup costs the same in a store of a hundred memories and of a million, which comparing vectors would not.

const BANDS = 10;
const ROWS_PER_BAND = 3;
const HASHES = BANDS * ROWS_PER_BAND;
/** Longer texts are told apart well by their beginning. */
const SHINGLES_MAX_COUNT = 4_000;
/** A band key holds its band number above 44 bits of hash and stays an exact integer. */
const BAND_SHIFT = 2 ** 44;

/** The set of adjacent word pairs (single words for very short texts), as 32-bit hashes. */
export function shingles(text: string): Set<number> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];
  const set = new Set<number>();
  if (words.length < 3) for (const word of words) set.add(hashText(word));
  for (let i = 0; i + 1 < words.length && set.size < SHINGLES_MAX_COUNT; i++)
    set.add(hashText(`${words[i]} ${words[i + 1]}`));
  return set;
}

/** Share of common shingles, 0 to 1. */
export function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  if (a.size === 0 || b.size === 0) return 0;
  let common = 0;
  for (const item of a) if (b.has(item)) common++;
  return common / (a.size + b.size - common);
}

/** Band keys of a text: texts with similarity s share at least one with probability 1 - (1 - s^3)^10. */
export function bandKeys(set: ReadonlySet<number>): number[] {
  if (set.size === 0) return [];
  const minima = new Uint32Array(HASHES).fill(0xffffffff);
  for (const item of set) {
    for (let h = 0; h < HASHES; h++) {
      const value = mix(item ^ Math.imul(h + 1, 0x9e3779b1));
      if (value < (minima[h] ?? 0)) minima[h] = value;
    }
  }
  const keys: number[] = [];
  for (let band = 0; band < BANDS; band++) {
    const start = band * ROWS_PER_BAND;
    const high = mix((minima[start] ?? 0) ^ Math.imul(minima[start + 1] ?? 0, 0x85ebca6b));
    const low = mix((minima[start + 2] ?? 0) ^ Math.imul(high, 0xc2b2ae35));
    keys.push(band * BAND_SHIFT + (high & 0xfff) * 2 ** 32 + low);
  }
  return keys;
}

/** FNV-1a, 32 bit. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Finaliser of MurmurHash3. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
