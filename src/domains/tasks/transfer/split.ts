// A board that is too long for one call, as several texts: each can be imported once those before it are.
import { arrange } from './arrange.ts';
import type { Problem } from './item.ts';
import { type Format, type ParseOptions, parseBoard } from './parse.ts';

export interface Split {
  readonly format: Format;
  /** JSON Lines of the own format, what an item refers to never after it. */
  readonly parts: readonly string[];
  readonly items: number;
  readonly skipped: number;
  readonly problems: readonly Problem[];
}

/** Parts of `part_max_chars` at most, where an item is not longer than that by itself. */
export function splitBoard(text: string, options: ParseOptions, part_max_chars: number): Split {
  const parsed = parseBoard(text, options);
  const { items, problems } = arrange(parsed);
  const parts: string[] = [];
  let part = '';
  for (const { item } of items) {
    const line = `${JSON.stringify(item)}\n`;
    if (part !== '' && part.length + line.length > part_max_chars) {
      parts.push(part);
      part = '';
    }
    part += line;
  }
  if (part !== '') parts.push(part);
  return {
    format: parsed.format,
    parts,
    items: items.length,
    skipped: parsed.skipped,
    problems: [...parsed.problems, ...problems],
  };
}
