// Cuts a text into pieces that fit the model's window, at the end of a sentence or line where one is near, each
// piece beginning a little before the last one ended so that no thought is split for good.

/** A word of a text: where it stands and the model's token ids for it. */
export type Word = { readonly start: number; readonly end: number; readonly ids: readonly number[] };
export type TextChunk = { readonly start_char: number; readonly end_char: number; readonly words: readonly Word[] };

export type ChunkLimits = {
  readonly ids_max: number;
  /** About this many ids of one piece open the next. */
  readonly overlap_ids: number;
  readonly chunks_max: number;
};

/** Longer runs are cut: WordPiece gives up on a word beyond 100 characters and would see nothing in it. */
const WORD = /\S{1,100}/gu;
const SENTENCE_END = /[.!?:;][)"'\]]*$/;
/** A piece is ended early at a sentence only in its last third: short pieces would cost more than they help. */
const EARLIEST_END = 2 / 3;

/** The words of a text with their ids. `idsOf` is asked once a word. */
export const wordsWithIds = (text: string, idsOf: (word: string) => readonly number[]): Word[] =>
  Array.from(text.matchAll(WORD), (match) => ({
    start: match.index,
    end: match.index + match[0].length,
    ids: idsOf(match[0]),
  }));

const endsThought = (text: string, words: readonly Word[], at: number): boolean => {
  const word = words[at];
  const next = words[at + 1];
  if (!word || !next) return true;
  return text.slice(word.end, next.start).includes('\n') || SENTENCE_END.test(text.slice(word.start, word.end));
};

/** Index after the last word of a piece that begins at `first`. At least one word, at most `ids_max` ids. */
const endOfPiece = (text: string, words: readonly Word[], first: number, ids_max: number): number => {
  let ids = 0;
  let thought = -1;
  let at = first;
  for (; at < words.length; at++) {
    ids += words[at]?.ids.length ?? 0;
    if (ids > ids_max) break;
    if (ids >= ids_max * EARLIEST_END && endsThought(text, words, at)) thought = at;
  }
  if (at >= words.length) return words.length;
  return thought >= 0 ? thought + 1 : Math.max(at, first + 1);
};

const startOfNext = (text: string, words: readonly Word[], first: number, end: number, overlap_ids: number): number => {
  let ids = 0;
  let start = end;
  while (start > first + 1 && ids + (words[start - 1]?.ids.length ?? 0) <= overlap_ids) {
    start--;
    ids += words[start]?.ids.length ?? 0;
  }
  for (let at = start; at < end; at++) if (at > start && endsThought(text, words, at - 1)) return at;
  return start;
};

/** The pieces of a text, in order, covering all of it up to `chunks_max` pieces. A text without words is one piece. */
export const chunkText = (text: string, words: readonly Word[], limits: ChunkLimits): TextChunk[] => {
  const chunks: TextChunk[] = [];
  for (let first = 0; first < words.length && chunks.length < limits.chunks_max; ) {
    const end = endOfPiece(text, words, first, limits.ids_max);
    const own = words.slice(first, end);
    chunks.push({ start_char: own[0]?.start ?? 0, end_char: own.at(-1)?.end ?? 0, words: own });
    if (end >= words.length) break;
    first = startOfNext(text, words, first, end, limits.overlap_ids);
  }
  return chunks.length > 0 ? chunks : [{ start_char: 0, end_char: text.length, words: [] }];
};
