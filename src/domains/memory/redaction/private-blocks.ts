// `<private>...</private>`: what the writer marked as not to be kept, to the last character.
import type { SecretSpan } from './types.ts';

const TAG = /(?<tick>`?)<(?<slash>\/?)private>/gi;

/**
 * The outermost private blocks with their tags. A block that is never closed reaches to the end of the text; a tag in
 * backticks is only talked about.
 */
export function findPrivate(text: string): SecretSpan[] {
  const spans: SecretSpan[] = [];
  let depth = 0;
  let start = 0;
  for (const match of text.matchAll(TAG)) {
    const isClosing = match.groups?.slash === '/';
    const tick = match.groups?.tick ?? '';
    if (!isClosing && depth === 0) {
      if (tick !== '') continue;
      start = match.index;
    }
    if (isClosing && depth === 0) continue;
    depth += isClosing ? -1 : 1;
    if (depth === 0) spans.push({ kind: 'private', start, end: match.index + match[0].length });
  }
  if (depth > 0) spans.push({ kind: 'private', start, end: text.length });
  return spans;
}
