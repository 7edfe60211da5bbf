// Stored text on a terminal: nothing in it may move the cursor, overwrite a line or turn the reading direction around.
import { printable } from '../../kernel/text-safety.ts';

const OVERWRITES = /\r(?!\n)/g;
const TURNS_AROUND = /[\u202a-\u202e\u2066-\u2069]/g;

/** Like `printable`, and without lone carriage returns and bidirectional overrides. Line breaks become `\n`. */
export function shown(text: string): string {
  return printable(text.replace(OVERWRITES, '\\x0d').replaceAll('\r\n', '\n')).replace(
    TURNS_AROUND,
    (char) => `\\u${char.charCodeAt(0).toString(16)}`,
  );
}
