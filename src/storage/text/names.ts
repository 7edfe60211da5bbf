// Finds names that people write in notes about systems (kube-proxy, 10.0.3.7, /etc/nginx/nginx.conf, --no-cache,
// camelCaseThing) and takes them apart, so that they can be matched whole and in part.

const NAMES_PER_TEXT_MAX = 64;
const PARTS_PER_NAME_MAX = 16;

/** A run without spaces, quotes, brackets or list punctuation: the widest thing that can be one name. */
const RUN = /[^\s"'`()[\]{}<>,;|!?*“”‘’]+/gu;
const WORD = /[\p{L}\p{N}\p{M}\p{Co}]+/gu;
/** Between `camel` and `Case`, and between `HTTP` and `Server`. */
const HUMP = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;
/** Between `E` and `11000`: only worth a part of its own when the number is long enough to mean something. */
const NUMBERED = /^(\p{L}+)(\p{N}{3,})$/u;

/** The words of a text exactly as the full-text tokenizer cuts them, in order, in their own case. */
export const wordsOf = (text: string): string[] => text.match(WORD) ?? [];

/** Parts inside single words that the full-text tokenizer keeps together: humps of camel case, numbers of codes. */
export const hiddenParts = (words: readonly string[]): string[] =>
  words.flatMap((word) => {
    const humps = word.split(HUMP);
    if (humps.length > 1) return humps.slice(0, PARTS_PER_NAME_MAX);
    const numbered = NUMBERED.exec(word);
    return numbered ? numbered.slice(1) : [];
  });

/** Names of several parts, as lists of their parts: `kube-proxy` is [kube, proxy], `10.0.3.7` is [10, 0, 3, 7]. */
export const compoundNames = (text: string): string[][] => {
  const names: string[][] = [];
  for (const [run] of text.matchAll(RUN)) {
    const parts = wordsOf(run).slice(0, PARTS_PER_NAME_MAX);
    if (parts.length > 1) names.push(parts.map((part) => part.toLowerCase()));
    if (names.length >= NAMES_PER_TEXT_MAX) break;
  }
  return names;
};
