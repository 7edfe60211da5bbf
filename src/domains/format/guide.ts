// The compressed notation (v2) that keeps memories short for models, and how verbose text (v1) is told from it.

export type FormatVersion = 'v1' | 'v2';

export const SYMBOLS = [
  { symbol: '→', meaning: 'flow, leads to' },
  { symbol: '|', meaning: 'or; column border of a table' },
  { symbol: '?', meaning: 'optional' },
  { symbol: '!', meaning: 'required' },
  { symbol: '::', meaning: 'type' },
] as const;

export const GUIDE = [
  'Store memories in v2 notation, it costs models about 60% fewer tokens than prose:',
  '- symbols: → flow, | or, ? optional, ! required, :: type',
  '- tables beat prose: | key | value |',
  '- define a reference once, [DB1]: primary postgres on host-a, then write [DB1]',
  '- one fact a line, names and numbers exact, no filler words',
  'Example: auth(key) → search(query) → results::JSON',
].join('\n');

/** Each takes time in proportion to the text, whatever the text: this runs on every write. */
const NOTATION = [/→|->|=>/, /::/, /^[ \t]*\|.*\|[ \t]*\r?$/m, /^[ \t]*\[[^\]\s]{1,30}\]:/m, /\w[?!](?=[\s,;)]|$)/m];
/** Below this length compression saves too little to speak of it. */
const SHORT_TEXT_CHARS = 160;
const FILLER =
  /\b(the|a|an|is|are|was|were|that|which|this|these|because|however|therefore|please|very|really|basically|actually|in order to|it|we|i|you|there|has|have|had|been|will|would|should)\b/gi;

/** v2 where the text uses the notation, or is short and free of filler; v1 for prose. */
export function detectFormat(text: string): FormatVersion {
  const marks = NOTATION.filter((pattern) => pattern.test(text)).length;
  const words = text.match(/\S+/g)?.length ?? 0;
  const filler = text.match(FILLER)?.length ?? 0;
  const wordy = words > 0 && filler / words > 0.18;
  if (marks >= 2) return 'v2';
  if (marks === 1) return wordy && text.length > SHORT_TEXT_CHARS ? 'v1' : 'v2';
  return 'v1';
}

/**
 * A v2 form of verbose text, made by rule: list markers and filler go, cause and sequence become arrows, `key: value`
 * lines become a table. A suggestion for the writer, never stored by itself. Undefined where it would save under a tenth.
 */
export function suggestV2(text: string): string | undefined {
  if (detectFormat(text) === 'v2' || text.length < SHORT_TEXT_CHARS) return undefined;
  const compressed = text
    .split(/\n+|(?<=[.!?])\s+(?=[A-Z])/)
    .map((sentence) => compressSentence(sentence.trim()))
    .filter((line) => line !== '')
    .join('\n');
  return compressed.length < text.length * 0.9 ? compressed : undefined;
}

function compressSentence(sentence: string): string {
  const pair = /^([\w ./-]{2,40}):\s+(\S.*)$/.exec(sentence);
  if (pair) return `| ${pair[1]} | ${pair[2]} |`;
  return sentence
    .replace(/\s+/g, ' ')
    .replace(/\b(leads? to|results? in|resulted in|causes?|caused|and then|which then|so that|therefore)\b/gi, '→')
    .replace(/ ?,? ?\bbecause( of)?\b/gi, ' ←')
    .replace(/\bin order to\b/gi, 'to')
    .replace(/\b(is|are|was|were) (required|mandatory)\b/gi, '!')
    .replace(/\b(is|are|was|were) optional\b/gi, '?')
    .replace(/\b(the|a|an|that|which|very|really|basically|actually|please|there (is|are|was|were))\b\s*/gi, '')
    .replace(/\s{2,}/g, ' ')
    .replace(/\.$/, '')
    .trim();
}
