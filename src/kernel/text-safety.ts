// Checks every string and every level of an input before a schema sees it: text that cannot be stored faithfully is refused.
import { failure } from './errors.ts';
import { limits } from './limits.ts';

/** Throws `invalid_input` on NUL, lone surrogates, too deep nesting or cyclic values; names the field. */
export function assertWellFormed(value: unknown, path = 'input', depth = 0): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) {
      throw failure(
        'invalid_input',
        `${shortPath(path)} contains half of a UTF-16 surrogate pair.`,
        'Send valid Unicode text (UTF-8).',
      );
    }
    if (value.includes('\u0000')) {
      throw failure(
        'invalid_input',
        `${shortPath(path)} contains a NUL character.`,
        'Remove NUL characters; binary data does not belong here.',
      );
    }
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (depth >= limits.json_depth_max_levels) {
    throw failure(
      'limit_exceeded',
      `The input is nested deeper than ${limits.json_depth_max_levels} levels.`,
      'Flatten the value or store it as text.',
    );
  }
  for (const [key, child] of Object.entries(value)) {
    if (!key.isWellFormed() || key.includes('\u0000')) {
      throw failure(
        'invalid_input',
        `A field name in ${shortPath(path)} is not valid Unicode text.`,
        'Use plain text for field names.',
      );
    }
    assertWellFormed(child, path === 'input' ? key : `${path}.${key}`, depth + 1);
  }
}

/** Field names come from the caller; an error repeats only so much of them. */
function shortPath(path: string): string {
  const text = printable(path);
  return text.length <= 100 ? text : `${text.slice(0, 99).toWellFormed()}…`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what this is for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** True where a one-line field (name, tag, id) is free of control characters. */
export function isOneLine(text: string): boolean {
  return !CONTROL.test(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the same
const TERMINAL_CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g;

/** Text made safe to print: control characters that a terminal would obey become visible. */
export function printable(text: string): string {
  return text.replace(TERMINAL_CONTROL, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Nesting depth of raw JSON text, counted without parsing, stopping early above `max`. Strings are skipped. */
export function jsonDepthExceeds(text: string, max: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === 92) i++;
      else if (code === 34) inString = false;
    } else if (code === 34) inString = true;
    else if (code === 91 || code === 123) {
      depth++;
      if (depth > max) return true;
    } else if (code === 93 || code === 125) depth--;
  }
  return false;
}
