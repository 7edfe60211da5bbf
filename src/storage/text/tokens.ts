// What goes into the full-text index for a text, and what a question asks of it. Text is data here: nothing a
// person types reaches FTS5 as query syntax, because only words, quoted, are ever put into an expression.
import { compoundNames, hiddenParts, wordsOf } from './names.ts';
import { STOP_WORDS } from './stop-words.ts';

/** Words beyond this many carry little and cost time: a page pasted as a question is cut here. */
const QUERY_WORDS_MAX = 48;
const QUERY_PAIRS_MAX = 12;
const QUERY_CHARS_MAX = 8_000;
/** A first line at most this long, with more below it, is a heading. */
const HEADING_CHARS_MAX = 80;
/** How often a heading is repeated: its words then weigh about as much as words the text itself repeats. */
const HEADING_REPEATS = 2;
/** In a question of more words than this, names and small numbers are details (readings, hosts), not its subject. */
const SHORT_QUERY_WORDS_MAX = 6;
const LONG_QUERY_WORDS_MIN = 9;
const SMALL_NUMBER = /^\d{1,2}$/;

/** A question, analysed. `words` are single lower-case words, `phrases` are names to be found as a whole. */
export type QueryTerms = { readonly words: readonly string[]; readonly phrases: readonly (readonly string[])[] };

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

const cleaned = (text: string): string => text.toWellFormed().replace(CONTROLS, ' ');

/**
 * The text to index: itself, the hidden parts of its names (camelCase, E11000), and its heading again, since
 * the words of a heading say what the whole is about.
 */
export const indexText = (text: string): string => {
  const body = cleaned(text);
  const parts = hiddenParts(wordsOf(body));
  const lineEnd = body.indexOf('\n');
  const heading =
    lineEnd > 0 && lineEnd <= HEADING_CHARS_MAX && body.trim().length > lineEnd ? body.slice(0, lineEnd) : '';
  const headings = Array.from({ length: HEADING_REPEATS }, () => heading);
  return [body, parts.join(' '), ...headings].filter((piece) => piece !== '').join('\n');
};

const distinct = (words: readonly string[]): string[] => [...new Set(words.map((word) => word.toLowerCase()))];

/** The words and names of a question; stop words go unless nothing else remains. No words at all: no terms. */
export const queryTerms = (question: string): QueryTerms => {
  const text = cleaned(question.slice(0, QUERY_CHARS_MAX));
  const plain = wordsOf(text);
  const all = distinct([...plain, ...hiddenParts(plain)]);
  const topical = all.filter((word) => !STOP_WORDS.has(word));
  const words = topical.length > 0 ? topical : all;
  const telling = words.length < LONG_QUERY_WORDS_MIN ? words : words.filter((word) => !SMALL_NUMBER.test(word));
  return {
    words: (telling.length > 0 ? telling : words).slice(0, QUERY_WORDS_MAX),
    phrases: words.length <= SHORT_QUERY_WORDS_MAX ? compoundNames(text) : [],
  };
};

/** One FTS5 string: letters and digits only, so quoting cannot be escaped from. */
export const quoted = (words: readonly string[]): string => `"${words.join(' ')}"`;

/** The FTS5 expression that asks for words that stood side by side in the question, and do in the text. */
export const pairExpression = (
  words: readonly string[],
  isRare: (word: string) => boolean = () => true,
): string | undefined => {
  const pairs = words
    .slice(1, QUERY_PAIRS_MAX + 1)
    .map((word, index) => [words[index] ?? '', word])
    .filter((pair) => pair.some(isRare))
    .map(quoted);
  return pairs.length > 0 ? pairs.join(' OR ') : undefined;
};

/** The FTS5 expression that asks for any of the terms; undefined when there is nothing to ask for. */
export const matchExpression = (terms: QueryTerms): string | undefined => {
  const parts = [...terms.words.map((word) => quoted([word])), ...terms.phrases.map(quoted)];
  return parts.length > 0 ? parts.join(' OR ') : undefined;
};
