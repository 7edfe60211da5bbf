// The notation of tasks in Markdown: boxes, headings that name columns, and the words in a line that say more.
import type { Priority, Status } from '../statuses.ts';

/** `[ ]` and its kin. */
const BOXES: Readonly<Record<string, Status>> = {
  ' ': 'todo',
  x: 'done',
  X: 'done',
  '/': 'in_progress',
  '!': 'blocked',
  '?': 'review',
  '-': 'cancelled',
  '~': 'failed',
  '<': 'backlog',
};

export const BOX: Readonly<Record<Status, string>> = {
  ...{ todo: ' ', done: 'x', in_progress: '/', blocked: '!', review: '?', cancelled: '-', failed: '~', backlog: '<' },
};

export function statusOfBox(box: string): Status | undefined {
  return BOXES[box];
}

const COLUMNS: Readonly<Record<string, Status>> = {
  ...{ backlog: 'backlog', icebox: 'backlog', later: 'backlog', ideas: 'backlog', someday: 'backlog' },
  ...{ todo: 'todo', 'to do': 'todo', 'to-do': 'todo', open: 'todo', ready: 'todo', next: 'todo', planned: 'todo' },
  ...{ 'in progress': 'in_progress', in_progress: 'in_progress', doing: 'in_progress', wip: 'in_progress' },
  ...{ blocked: 'blocked', waiting: 'blocked', 'on hold': 'blocked' },
  ...{ review: 'review', 'in review': 'review', testing: 'review', qa: 'review' },
  ...{ done: 'done', completed: 'done', complete: 'done', closed: 'done', finished: 'done', archive: 'done' },
  ...{ failed: 'failed', cancelled: 'cancelled', canceled: 'cancelled', "won't do": 'cancelled', dropped: 'cancelled' },
};

/** The column a heading names; undefined: it is a story. */
export function columnOf(heading: string): Status | undefined {
  const words = heading
    .toLowerCase()
    .replace(/\(\d+\)\s*$/, '')
    .replace(/[^a-z'_ -]/g, '')
    .trim();
  return COLUMNS[words];
}

/** Headings over tasks that belong to no story. */
export function isNoStory(heading: string): boolean {
  return /^(tasks|other tasks|items|tickets)$/i.test(heading.trim());
}

export interface LineWords {
  readonly title: string;
  readonly id?: string;
  readonly depends_on: readonly string[];
  readonly priority?: Priority;
  readonly tags: readonly string[];
  readonly capabilities: readonly string[];
  readonly assignee?: string;
  readonly due?: string;
  readonly estimate_minutes?: number;
}

const PRIORITY = /^!(critical|high|medium|low)$/;
const ESTIMATE = /^est:(\d+(?:\.\d+)?)(m|h|d)$/;
const MINUTES: Readonly<Record<string, number>> = { m: 1, h: 60, d: 480 };
const COMMENT = /<!--\s*(\S+)\s*-->/g;
const STAGE = /^\*\*\d+[a-z]*\*?\*\*\s+/;

/**
 * Words of a line: `!high`, `#tag`, `@agent`, `due:2026-01-31`, `est:90m` (h, d of 8 hours), `needs:capability`,
 * `^id` or `<!-- id -->` for its name, `after:id,id` for what it waits for. Taken from the end, and anywhere as long as
 * they are whole words; the rest is the title. A stage label in bold at the beginning, as exports write it, is dropped.
 */
export function readWords(line: string): LineWords {
  const found: { -readonly [K in keyof LineWords]: LineWords[K] } = {
    title: '',
    depends_on: [],
    tags: [],
    capabilities: [],
  };
  const tags: string[] = [];
  const capabilities: string[] = [];
  const depends_on: string[] = [];
  const rest: string[] = [];
  const text = line.replace(COMMENT, (_, id: string) => ` ^${id} `).replace(STAGE, '');
  for (const word of text.split(/\s+/)) {
    const priority = PRIORITY.exec(word)?.[1];
    const estimate = ESTIMATE.exec(word);
    if (priority !== undefined) found.priority = priority as Priority;
    else if (estimate)
      found.estimate_minutes = Math.max(1, Math.round(Number(estimate[1]) * (MINUTES[estimate[2] ?? 'm'] ?? 1)));
    else if (/^#[\p{L}\p{N}][^\s#]*$/u.test(word) && !/^#\d+$/.test(word)) tags.push(word.slice(1));
    else if (/^@[A-Za-z0-9][\w.:-]*$/.test(word)) found.assignee = word.slice(1);
    else if (/^due:\d{4}-\d\d-\d\d(T\S+)?$/.test(word)) found.due = word.slice('due:'.length);
    else if (/^needs:\S+$/.test(word)) capabilities.push(...word.slice('needs:'.length).split(','));
    else if (/^after:\S+$/.test(word)) depends_on.push(...word.slice('after:'.length).split(','));
    else if (/^\^[\w.:@/#-]+$/.test(word)) found.id = word.slice(1);
    else rest.push(unescaped(word));
  }
  return {
    ...found,
    title: rest.join(' ').trim(),
    tags,
    capabilities,
    depends_on: depends_on.filter((id) => id !== ''),
  };
}

/** A word of a title that would be read as one of those above is written with a backslash before it. */
export function escaped(title: string): string {
  return title
    .split(/\s+/)
    .map((word) => (isMark(word) ? `\\${word}` : word))
    .join(' ')
    .replaceAll('<!--', '<\\!--');
}

const MARK = /^(![a-z]+|#.+|@.+|due:.+|est:.+|needs:.+|after:.+|\^.+|\\.*|\*\*\d.*)$/;

function isMark(word: string): boolean {
  return MARK.test(word);
}

function unescaped(word: string): string {
  const text = word.replaceAll('<\\!--', '<!--');
  return text.startsWith('\\') ? text.slice(1) : text;
}
