// Draws the task board: columns side by side on a terminal, the plan of stories, and one line a task for pipes.
import { shown } from './shown.ts';
import type { Style } from './style.ts';

/** What the board shows of a task; the rest of a record is passed over. */
export interface BoardTask {
  readonly task_id: string;
  readonly title: string;
  readonly status: string;
  readonly priority: string;
  readonly ready: boolean;
  readonly holder_agent_id: string | null;
  readonly assigned_agent_id: string | null;
  readonly created_at: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly due: string | null;
  readonly label?: string | undefined;
  /** Label of the story it is a part of. */
  readonly story_label?: string | null | undefined;
  readonly critical?: boolean | undefined;
  readonly depth?: number | undefined;
}

export interface Column {
  readonly status: string;
  readonly tasks: readonly BoardTask[];
  /** All there are, also those that are not shown. */
  readonly total: number;
}

export interface Canvas {
  /** Characters of a line. */
  readonly width: number;
  readonly style: Style;
  readonly now_ms: number;
  /** Ids are shown, whole, so that they can be copied. */
  readonly ids?: boolean | undefined;
}

const IDS_HINT = '--ids shows their ids';
const GAP = '  ';
const COLUMN_MIN_CHARS = 18;

/** Columns side by side; below each other where the terminal is too narrow for that. */
export function drawColumns(columns: readonly Column[], canvas: Canvas): string {
  const { width } = canvas;
  const each = Math.floor((width - GAP.length * (columns.length - 1)) / columns.length);
  const id_chars = Math.max(
    0,
    ...columns.flatMap(({ tasks }) => tasks.map(({ task_id }) => idOf(task_id, canvas).length)),
  );
  const narrow = each < Math.max(COLUMN_MIN_CHARS, id_chars);
  const cell = narrow ? width : each;
  const drawn = columns.map((column) => drawColumn(column, cell, canvas));
  const foot = legend(
    columns.flatMap(({ tasks }) => tasks),
    canvas,
  );
  if (narrow) return `${drawn.map((lines) => lines.map(({ text }) => `${text}\n`).join('')).join('\n')}${foot}`;
  const height = Math.max(0, ...drawn.map((lines) => lines.length));
  const lines = Array.from({ length: height }, (_, i) =>
    drawn
      .map((column) => column[i] ?? { text: '', chars: 0 })
      .map(({ text, chars }) => `${text}${' '.repeat(Math.max(0, cell - chars))}`)
      .join(GAP)
      .trimEnd(),
  );
  return `${lines.join('\n')}\n${foot}`;
}

/** What the marks mean that are there, and how to get at the ids. */
function legend(tasks: readonly BoardTask[], { style, ids, width }: Canvas): string {
  const notes = [
    tasks.some(({ critical }) => critical) ? '* critical path' : '',
    tasks.length > 0 && !ids ? IDS_HINT : '',
  ].filter((note) => note !== '');
  return notes.length === 0 ? '' : `${style.dim(cut(notes.join('; '), width))}\n`;
}

function idOf(task_id: string, { ids }: Canvas): string {
  return ids ? `  ${shown(task_id)}` : '';
}

interface Line {
  /** With its colours. */
  readonly text: string;
  /** Columns of the terminal it takes. */
  readonly chars: number;
}

function drawColumn({ status, tasks, total }: Column, cell: number, canvas: Canvas): Line[] {
  const { style } = canvas;
  const paint = colourOf(status, style);
  const title = `${status.replaceAll('_', ' ').toUpperCase()} ${total}`;
  const lines: Line[] = [line(title, cell, (text) => style.bold(paint(text))), line('-'.repeat(cell), cell, style.dim)];
  for (const task of tasks) {
    lines.push(line(`${markOf(task, placeOf(task))}${task.title}`, cell, task.critical ? style.bold : same));
    lines.push(line(`  ${detailsOf(task, canvas.now_ms)}`, cell, style.dim));
    if (canvas.ids) lines.push(line(idOf(task.task_id, canvas), cell, style.dim));
  }
  if (total > tasks.length) lines.push(line(`  and ${total - tasks.length} more`, cell, style.dim));
  return lines;
}

/** Stories in sequence, each with its tickets by stage. */
export function drawStories(tasks: readonly BoardTask[], canvas: Canvas): string {
  const { width, style, now_ms } = canvas;
  const lines = tasks.flatMap((task) => {
    const indent = '  '.repeat(task.depth ?? 0);
    const mark = `${indent}${markOf(task, task.label ?? '')}`;
    const status = colourOf(task.status, style)(`[${task.status}]`);
    const rest = detailsOf(task, now_ms);
    const room = Math.max(10, width - charsOf(mark) - task.status.length - rest.length - 6);
    const title = cut(shown(task.title).replaceAll('\n', ' '), room);
    const head = (task.depth ?? 0) === 0 ? style.bold(title) : title;
    return [
      `${style.cyan(mark)}${head} ${status} ${style.dim(rest)}`.trimEnd(),
      ...(canvas.ids ? [style.dim(`${indent}${idOf(task.task_id, canvas)}`)] : []),
    ];
  });
  return lines.length === 0 ? `${style.dim('no tasks')}\n` : `${lines.join('\n')}\n${legend(tasks, canvas)}`;
}

const FIELDS = ['status', 'stage', 'critical', 'task_id', 'priority', 'agent', 'age', 'title'] as const;

/** One line a task, fields separated by tabs, in the order status, stage, critical, task_id, priority, agent, age, title. */
export function plainBoard(tasks: readonly BoardTask[], now_ms: number): string {
  return tasks
    .map((task) => {
      const fields: Readonly<Record<(typeof FIELDS)[number], string>> = {
        ...{ status: task.status, stage: placeOf(task), critical: task.critical ? '*' : '', task_id: task.task_id },
        ...{ priority: task.priority, agent: agentOf(task), age: ageOf(task, now_ms), title: task.title },
      };
      return `${FIELDS.map((name) => shown(fields[name]).replaceAll(/[\t\n]/g, ' ')).join('\t')}\n`;
    })
    .join('');
}

/** Where it comes in the plan, its story first: 2.1a. Where its story is not the row above, a stage alone says nothing. */
function placeOf({ label = '', story_label }: BoardTask): string {
  return story_label == null || label === '' ? label : `${story_label}.${label}`;
}

function markOf({ critical }: BoardTask, place: string): string {
  return place === '' ? '' : `${place}${critical ? '*' : ''} `;
}

/** Who, how long, how urgent. */
function detailsOf(task: BoardTask, now_ms: number): string {
  const late = task.due !== null && task.finished_at === null && Date.parse(task.due) < now_ms ? 'overdue' : '';
  const agent = agentOf(task);
  const parts = [
    ageOf(task, now_ms),
    task.priority === 'medium' ? '' : task.priority,
    task.status === 'todo' ? (task.ready ? 'ready' : 'waits') : '',
    late,
    agent === '' ? '' : `@${shown(agent)}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function agentOf({ holder_agent_id, assigned_agent_id }: BoardTask): string {
  return holder_agent_id ?? assigned_agent_id ?? '';
}

const MINUTE_MS = 60_000;

/** Since it ended, was begun or was made: the last of these that happened. */
function ageOf({ finished_at, started_at, created_at, status }: BoardTask, now_ms: number): string {
  const begun = status === 'todo' || status === 'backlog' ? null : started_at;
  const minutes = Math.max(0, Math.floor((now_ms - Date.parse(finished_at ?? begun ?? created_at)) / MINUTE_MS));
  if (minutes < 60) return `${minutes}m`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)}h` : `${Math.floor(minutes / (24 * 60))}d`;
}

function colourOf(status: string, style: Style): (text: string) => string {
  if (status === 'in_progress') return style.yellow;
  if (status === 'done') return style.green;
  return status === 'blocked' || status === 'failed' ? style.red : style.cyan;
}

const same = (text: string): string => text;

function line(text: string, room: number, paint: (text: string) => string): Line {
  const fitted = cut(shown(text).replaceAll('\n', ' '), room);
  return { text: paint(fitted), chars: charsOf(fitted) };
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]/u;
const NO_WIDTH = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns of a terminal that a text takes. */
function charsOf(text: string): number {
  let chars = 0;
  for (const char of text) chars += NO_WIDTH.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return chars;
}

function cut(text: string, room: number): string {
  if (charsOf(text) <= room) return text;
  let out = '';
  let chars = 0;
  for (const char of text) {
    chars += charsOf(char);
    if (chars > room - 1) break;
    out += char;
  }
  return `${out.trimEnd()}…`;
}
