// A seeded source of random text, so that a run can be repeated and no key ever stands in a file.

export interface Random {
  readonly int: (below: number) => number;
  readonly pick: <T>(values: readonly T[]) => T;
  readonly text: (alphabet: string, length: number) => string;
}

export const DIGITS = '0123456789';
export const LOWER = 'abcdefghijklmnopqrstuvwxyz';
export const UPPER = LOWER.toUpperCase();
export const HEX = `${DIGITS}abcdef`;
export const ALNUM = DIGITS + LOWER + UPPER;
export const BASE64 = `${ALNUM}+/`;
export const URLSAFE = `${ALNUM}-_`;

/** mulberry32 (Tommy Ettinger, public domain): small, fast, good enough for samples. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const int = (below: number) => Math.floor(next() * below);
  return {
    int,
    pick: (values) => values[int(values.length)]!,
    text: (alphabet, length) => Array.from({ length }, () => alphabet[int(alphabet.length)]).join(''),
  };
}

export function uuid(random: Random): string {
  const part = (length: number) => random.text(HEX, length);
  return [part(8), part(4), `4${part(3)}`, `a${part(3)}`, part(12)].join('-');
}

export function base64(random: Random, bytes: number): string {
  return Buffer.from(random.text(ALNUM, bytes), 'latin1').toString('base64');
}

export function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}
