// Words as the index on PostgreSQL holds them: folded and stemmed as FTS5's `porter unicode61 remove_diacritics 2` does,
// so that both engines find the same texts; written as tsvector and tsquery literals, so that the server parses nothing.
import { LRUCache } from 'lru-cache';
import { stemmer } from 'stemmer';
import { wordsOf } from '../names.ts';
import type { IndexedText } from '../port.ts';
import { indexText } from '../tokens.ts';

/** FTS5 leaves longer words as they are. */
const STEMMED_BYTES_MAX = 64;
/** A lexeme may take 2,046 bytes: longer words (keys, encoded data) are the same word when they begin alike. */
const LEXEME_CODE_POINTS_MAX = 500;
/** Positions beyond this are all this one, by the definition of tsvector. */
const POSITION_MAX = 16_383;
/** More positions of one lexeme are dropped by the server. */
const POSITIONS_PER_LEXEME_MAX = 255;
/** Between body and description, so that no phrase spans both. */
const EXTRA_GAP = 10;
const STEMS_REMEMBERED = 20_000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what ASCII is
const ASCII = /^[\u0000-\u007f]*$/;
const LATIN_MARKS = /(?<=\p{Script=Latin})[\u0300-\u036f]+/gu;

/** Lower case; Latin letters without their marks; the other scripts keep theirs, as in FTS5. */
const folded = (word: string): string => {
  const lower = word.toLowerCase();
  return ASCII.test(lower)
    ? lower
    : lower.normalize('NFD').replace(LATIN_MARKS, '').normalize('NFC').replaceAll('ς', 'σ');
};

const cut = (word: string): string =>
  word.length <= LEXEME_CODE_POINTS_MAX ? word : [...word].slice(0, LEXEME_CODE_POINTS_MAX).join('');

const stems = new LRUCache<string, string>({ max: STEMS_REMEMBERED });

/** What the index holds for a word. */
export const lexemeOf = (word: string): string => {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const plain = folded(word);
  const lexeme = Buffer.byteLength(plain) > STEMMED_BYTES_MAX ? cut(plain) : stemmer(plain);
  stems.set(word, lexeme);
  return lexeme;
};

/** The lexemes of a text in order; what consists of marks alone is no word. */
const lexemesOf = (text: string): string[] =>
  wordsOf(text)
    .map(lexemeOf)
    .filter((lexeme) => lexeme !== '');

// Lexemes are letters, digits and marks only, so quoting cannot be escaped from.
const quoted = (lexeme: string): string => `'${lexeme}'`;

/** The tsquery that asks for these lexemes side by side; of one lexeme: for it alone. */
export const phraseQuery = (lexemes: readonly string[]): string => lexemes.map(quoted).join(' <-> ');

/** The tsquery that asks for any of these. */
export const anyQuery = (queries: readonly string[]): string => queries.map((query) => `(${query})`).join(' | ');

/** A record as its row in the index. */
export type TextVector = {
  /** A tsvector literal. */
  readonly words: string;
  readonly body_length: number;
  readonly extra_length: number;
  readonly lexemes: Iterable<string>;
};

export const textVector = ({ body, extra }: IndexedText): TextVector => {
  const places = new Map<string, string[]>();
  const add = (lexemes: readonly string[], from: number, weight: string): void =>
    lexemes.forEach((lexeme, index) => {
      const own = places.get(lexeme) ?? [];
      if (own.length === 0) places.set(lexeme, own);
      if (own.length < POSITIONS_PER_LEXEME_MAX) own.push(`${Math.min(POSITION_MAX, from + index)}${weight}`);
    });
  const ofBody = lexemesOf(indexText(body));
  const ofExtra = extra === undefined ? [] : lexemesOf(indexText(extra));
  add(ofBody, 1, 'A');
  add(ofExtra, 1 + ofBody.length + EXTRA_GAP, 'D');
  return {
    words: [...places].map(([lexeme, own]) => `${quoted(lexeme)}:${own.join(',')}`).join(' '),
    body_length: ofBody.length,
    extra_length: ofExtra.length,
    lexemes: places.keys(),
  };
};
