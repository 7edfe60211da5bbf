// Splits a Markdown body at its headings into sections of a readable size; headings inside code fences do not count.
import { splitText } from './text.ts';

export interface Section {
  /** Headings above and of the section, joined by ` > `; empty for text before the first heading. */
  readonly heading: string;
  readonly text: string;
}

const HEADING = /^(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$/;
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

interface Block {
  readonly path: readonly string[];
  readonly lines: string[];
}

/** Sections in order. Small neighbours below the same heading are joined up to `max` characters, long ones are cut. */
export function splitSections(body: string, max: number): Section[] {
  const sections: Section[] = [];
  for (const block of headingBlocks(body)) {
    const text = block.lines.join('\n').trim();
    if (text === '') continue;
    const heading = block.path.join(' > ');
    const last = sections.at(-1);
    const joins = last !== undefined && heading.startsWith(last.heading) && last.text.length + text.length + 2 <= max;
    if (joins) sections[sections.length - 1] = { heading: last.heading, text: `${last.text}\n\n${text}` };
    else for (const part of splitText(text, max)) sections.push({ heading, text: part });
  }
  return sections;
}

/** The title a document gives itself: its first heading of level one. */
export function firstTitle(body: string): string | undefined {
  const block = headingBlocks(body).find(({ path }) => path.length === 1);
  return block?.path[0];
}

function headingBlocks(body: string): Block[] {
  const blocks: Block[] = [{ path: [], lines: [] }];
  const stack: { level: number; title: string }[] = [];
  let fence: string | undefined;
  for (const line of body.split('\n')) {
    const mark = FENCE.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || (mark[0] === fence[0] && mark.length >= fence.length))) {
      fence = fence === undefined ? mark : undefined;
    }
    const heading = fence === undefined && mark === undefined ? HEADING.exec(line) : null;
    if (heading) {
      const level = heading[1]?.length ?? 1;
      while ((stack.at(-1)?.level ?? 0) >= level) stack.pop();
      stack.push({ level, title: heading[2] ?? '' });
      blocks.push({ path: stack.map(({ title }) => title), lines: [] });
    }
    blocks.at(-1)?.lines.push(line);
  }
  return blocks;
}
