// Boards in Markdown: headings are columns or stories, list items with a box are tasks, indented ones parts of those
// above them, and indented text below an item is its description.
import { hash } from 'node:crypto';
import type { Status } from '../statuses.ts';
import type { BoardBuilder } from './item.ts';
import { columnOf, isNoStory, type LineWords, readWords, statusOfBox } from './markdown-words.ts';

// No pattern here may try two ways over the same text: lines come from anywhere and may be megabytes long. What ends a line
// is looked for from its end, by hand.
const HEADING = /^(#{1,6})\s+(?=\S)/;
const BULLET = /^(\s*)(?:[-*+]|\d+[.)])\s+/;
const BOXED = /^\[(.)\]\s+(?=\S)/;
const FENCE = /^\s*(```|~~~)/;
const NO_RULE = /[^\s*_-]/;

interface Open {
  readonly words: LineWords;
  readonly line: number;
  /** Of a heading: its level. */
  readonly level: number;
  /** Of an item: columns of white space before it. */
  readonly indent: number;
  readonly status: Status;
  readonly external_id: string;
  readonly parent: string | null;
  readonly description: string[];
}

interface Reading {
  readonly builder: BoardBuilder;
  readonly name: string;
  readonly stories: Open[];
  readonly items: Open[];
  /** Everything in the order of the file; added at its end, when descriptions are whole and names are known. */
  readonly all: Open[];
  readonly names: Map<string, string>;
  readonly taken: Set<string>;
  /** How often a line without a name was met, by what it stands below and its title. */
  readonly repeats: Map<string, number>;
  column: Status | undefined;
  columnLevel: number;
}

/** Adds all tasks of a board. `name` tells boards apart: tasks of two files with one name are taken for the same. */
export function addMarkdown(builder: BoardBuilder, text: string, name: string): void {
  const reading: Reading = {
    ...{
      builder,
      name,
      stories: [],
      items: [],
      all: [],
      names: new Map(),
      taken: new Set(),
      repeats: new Map(),
      column: undefined,
      columnLevel: 0,
    },
  };
  let fence: string | undefined;
  for (const [i, raw] of withoutFrontMatter(text.split(/\r?\n/)).entries()) {
    const mark = FENCE.exec(raw)?.[1];
    if (fence !== undefined || mark !== undefined) {
      describe(reading, raw);
      fence = fence === undefined ? mark : mark === fence ? undefined : fence;
      continue;
    }
    readLine(reading, raw, i + 1);
  }
  for (const open of reading.all) addOpen(reading, open);
}

function readLine(reading: Reading, raw: string, line: number): void {
  if (raw === '') {
    describe(reading, raw);
    return;
  }
  const heading = HEADING.exec(raw);
  const text = heading ? headingText(raw.slice(heading[0].length)) : '';
  if (text !== '') {
    readHeading(reading, heading?.[1]?.length ?? 1, text, line);
    return;
  }
  const spaced = raw.replaceAll('\t', '    ');
  const bullet = BULLET.exec(spaced);
  const after = bullet ? spaced.slice(bullet[0].length) : '';
  const boxed = bullet ? boxIn(after) : undefined;
  const status = boxed ? statusOfBox(boxed.box) : undefined;
  if (boxed && status === undefined) {
    reading.builder.problem({ line, message: `[${boxed.box}] is no box that is known` });
    return;
  }
  const indent = bullet?.[1]?.length ?? 0;
  // Below a heading that names a column a list needs no boxes.
  const bare = bullet && indent === 0 && !isRule(raw) ? reading.column : undefined;
  if (boxed && status !== undefined) readItem(reading, { indent, status, text: boxed.text, line });
  else if (bare !== undefined) readItem(reading, { indent, status: bare, text: after, line });
  else describe(reading, raw);
}

/** Without the number signs that may close it. */
function headingText(rest: string): string {
  const text = rest.trimEnd();
  let end = text.length;
  while (end > 0 && text[end - 1] === '#') end--;
  return text.slice(0, end).trimEnd();
}

function boxIn(text: string): { readonly box: string; readonly text: string } | undefined {
  const found = BOXED.exec(text);
  return found?.[1] === undefined ? undefined : { box: found[1], text: text.slice(found[0].length) };
}

/** Three or more of `-`, `*` and `_`, and nothing else but blanks. */
function isRule(raw: string): boolean {
  return !NO_RULE.test(raw) && raw.replace(/\s+/g, '').length >= 3;
}

function readHeading(reading: Reading, level: number, text: string, line: number): void {
  reading.items.length = 0;
  if (reading.column !== undefined && level <= reading.columnLevel) reading.column = undefined;
  while ((reading.stories.at(-1)?.level ?? 0) >= level) reading.stories.pop();
  const column = columnOf(text);
  if (column !== undefined) {
    reading.column = column;
    reading.columnLevel = level;
    return;
  }
  // The first level is the name of the board.
  if (level === 1 || isNoStory(text)) return;
  const boxed = boxIn(text);
  const status = boxed ? statusOfBox(boxed.box) : undefined;
  const words = readWords(boxed && status ? boxed.text : text);
  const open = opened(reading, { words, line, level, indent: -1, status: status ?? reading.column ?? 'todo' });
  reading.stories.push(open);
}

function readItem(
  reading: Reading,
  { indent, status, text, line }: { indent: number; status: Status; text: string; line: number },
): void {
  while ((reading.items.at(-1)?.indent ?? -1) >= indent) reading.items.pop();
  // A column says more than an empty box.
  const told = status === 'todo' && reading.column !== undefined ? reading.column : status;
  reading.items.push(opened(reading, { words: readWords(text), line, level: 0, indent, status: told }));
}

type Opening = Pick<Open, 'words' | 'line' | 'level' | 'indent' | 'status'>;

function opened(reading: Reading, opening: Opening): Open {
  const above = reading.items.at(-1) ?? reading.stories.at(-1);
  const { id } = opening.words;
  const external_id = id === undefined ? idOfPath(reading, above, opening.words.title) : named(reading.name, id);
  if (id !== undefined) reading.names.set(id, external_id);
  const open: Open = { ...opening, external_id, parent: above?.external_id ?? null, description: [] };
  reading.taken.add(external_id);
  reading.all.push(open);
  reading.builder.expect(reading.all.length);
  return open;
}

/** A name that a task of ours has is that task; any other is one of this board. */
function named(board: string, id: string): string {
  return /^[a-z]+:\S+$/.test(id) ? id : /^task_[0-9a-z]{26}$/.test(id) ? `haivemind:${id}` : `markdown:${board}#${id}`;
}

/** Where a line has no name, its title and what it stands below are its name. */
function idOfPath(reading: Reading, above: Open | undefined, title: string): string {
  const place = JSON.stringify([above?.external_id ?? '', title]);
  for (let n = reading.repeats.get(place) ?? 0; ; n++) {
    const digest = hash('sha256', JSON.stringify([above?.external_id ?? '', title, n])).slice(0, 16);
    const external_id = `markdown:${reading.name}#${digest}`;
    // Twice the same line is two tasks. A line that has a name may have taken this one.
    if (reading.taken.has(external_id)) continue;
    reading.repeats.set(place, n + 1);
    return external_id;
  }
}

function describe(reading: Reading, raw: string): void {
  const open = reading.items.at(-1) ?? reading.stories.at(-1);
  if (!open) return;
  const indent = open.indent < 0 ? 0 : open.indent + 2;
  const blank = raw.trim() === '';
  if (!blank && open.indent >= 0 && (/^\s*/.exec(raw)?.[0].replaceAll('\t', '    ').length ?? 0) <= open.indent) {
    // Text at the margin ends the list.
    reading.items.length = 0;
    describe(reading, raw);
    return;
  }
  open.description.push(blank ? '' : raw.slice(Math.min(indent, raw.length - raw.trimStart().length)));
}

function addOpen(reading: Reading, open: Open): void {
  const { words } = open;
  reading.builder.add(
    {
      external_id: open.external_id,
      title: words.title,
      description: open.description.join('\n').trim(),
      status: open.status,
      priority: words.priority ?? 'medium',
      parent: open.parent,
      depends_on: words.depends_on.map((id) => reading.names.get(id) ?? named(reading.name, id)),
      tags: [...words.tags],
      required_capabilities: [...words.capabilities],
      assignee: words.assignee ?? null,
      due: words.due ?? null,
      estimate_minutes: words.estimate_minutes ?? null,
    },
    open.line,
  );
}

/** Its lines become empty ones, so that numbers of lines stay right. */
function withoutFrontMatter(lines: string[]): string[] {
  if (lines[0]?.trim() !== '---') return lines;
  const end = lines.findIndex((line, i) => i > 0 && line.trim() === '---');
  return end < 0 ? lines : lines.map((line, i) => (i <= end ? '' : line));
}
