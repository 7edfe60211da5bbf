// Makes foreign text storable: no NUL, no half characters, no terminal control, and cut or split where a reader would.

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colour codes are what this removes
const ANSI_SEQUENCE = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the same for control characters
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;
const LINE_BREAK = /\r\n?/g;

/** Well-formed Unicode with `\n` line ends, without control characters, trimmed at the ends. */
export function cleanText(text: string): string {
  return text
    .toWellFormed()
    .replace(LINE_BREAK, '\n')
    .replace(ANSI_SEQUENCE, '')
    .replace(CONTROL, '')
    .replace(/^\ufeff/, '')
    .trim();
}

/** The text with nothing changed but what no store can keep: NUL and half characters. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '');
}

/** The text on one line. */
export function oneLine(text: string): string {
  return cleanText(text).replace(/\s+/g, ' ');
}

/** Cuts after `max` characters at the last white space, so that no token is halved, and marks the cut. */
export function shorten(text: string, max: number): string {
  if (text.length <= max) return text;
  const head = text.slice(0, max + 1);
  const space = head.search(/\s\S*$/);
  const cut = space > max / 2 ? head.slice(0, space) : safeSlice(text, 0, max);
  return `${cut.trimEnd()} …`;
}

/**
 * Splits text into parts of at most `max` characters, at a blank line if there is one in the second half of the part,
 * else at a line end, a sentence end, a space, and only then inside a word.
 */
export function splitText(text: string, max: number): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > max) {
    const cut = splitPoint(rest, max);
    const part = rest.slice(0, cut).trim();
    if (part !== '') parts.push(part);
    rest = rest.slice(cut);
  }
  const last = rest.trim();
  if (last !== '') parts.push(last);
  return parts;
}

function splitPoint(text: string, max: number): number {
  const window = text.slice(0, max);
  for (const mark of ['\n\n', '\n', '. ', ' ']) {
    const at = window.lastIndexOf(mark);
    if (at >= max / 2) return at + mark.length;
  }
  return safeSlice(text, 0, max).length;
}

/** A slice that does not end between the halves of a surrogate pair. */
function safeSlice(text: string, start: number, end: number): string {
  const code = text.charCodeAt(end - 1);
  const isHighSurrogate = code >= 0xd800 && code <= 0xdbff;
  return text.slice(start, isHighSurrogate ? Math.max(start + 1, end - 1) : end);
}
