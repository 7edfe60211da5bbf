// Pieces of a document for a remote model, whose token ids are not known: windows of characters instead.
import { chunkText, type TextChunk, wordsWithIds } from './chunking.ts';

/** Most embedding models take 512 tokens; English has about four characters a token, code about three. */
const CHUNK_CHARS_MAX = 1_500;
const OVERLAP_CHARS = 150;
const CHUNKS_MAX = 128;

/** Cuts a text as the local model does, counting a character where that counts a token. */
export const chunkByCharacters = (text: string): TextChunk[] =>
  chunkText(
    text,
    wordsWithIds(text, (word) => Array.from({ length: word.length + 1 }, () => 0)),
    {
      ids_max: CHUNK_CHARS_MAX,
      overlap_ids: OVERLAP_CHARS,
      chunks_max: CHUNKS_MAX,
    },
  );
