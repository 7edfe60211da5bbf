// Shows an operation's answer: exact JSON, tables and cards on a terminal, one line a row when piped.
import Table from 'cli-table3';
import type { CliBinding } from '../../kernel/operation.ts';
import type { OutputStream } from './contract.ts';
import { shown } from './shown.ts';
import type { Style } from './style.ts';

export type Answer = Readonly<Record<string, unknown>>;

/** Valid JSON that no terminal obeys: JSON.stringify leaves DEL and the C1 controls as they are. */
export function toJsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, null, indent) ?? 'null';
  return text.replace(/[\u007f-\u009f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The answer as text for people, ending in a line break. */
export function renderAnswer(answer: Answer, binding: CliBinding, stream: OutputStream, style: Style): string {
  const table = binding.table;
  const rows = table ? rowsAt(answer, table.rows) : undefined;
  if (!table || !rows) return stream.isTTY ? card(answer, stream, style) : plainLines(answer);
  if (!stream.isTTY) {
    const lines = rows.map((row) => `${cells(row, table.columns).map(oneField).join('\t')}\n`).join('');
    const beside = (table.beside ?? []).flatMap((key) => linesBeside(key, answer[key]));
    return `${lines}${beside.join('')}`;
  }
  const rest = Object.entries(answer).filter(([key, value]) => key !== table.rows && !isEmpty(value));
  const footer = rest.length > 0 ? card(Object.fromEntries(rest), stream, style) : '';
  const body = rows.length === 0 ? `${style.dim('nothing found')}\n` : tableOf(rows, table.columns, stream, style);
  return `${body}${footer}`;
}

/** Lines that begin with the name of what they tell of: a list has one for each of its items. */
function linesBeside(key: string, value: unknown): string[] {
  if (isEmpty(value)) return [];
  return (Array.isArray(value) ? value : [value]).map((item: unknown) => {
    const texts = isRecord(item) ? Object.values(item).map(toText) : [toText(item)];
    return `${[key, ...texts].map(oneField).join('\t')}\n`;
  });
}

function rowsAt(answer: Answer, key: string): readonly Answer[] | undefined {
  const rows = answer[key];
  return Array.isArray(rows) ? rows.map((row: unknown) => (isRecord(row) ? row : { value: row })) : undefined;
}

function cells(row: Answer, columns: readonly string[]): string[] {
  return columns.map((column) => toText(row[column]));
}

/** Columns narrower than this keep their width; wider ones share what is left. */
const SHORT_COLUMN_MAX = 30;
/** With less room than this for a long column, rows are stacked instead. */
const LONG_COLUMN_MIN = 36;
const CELL_MAX_CHARS = 600;

function tableOf(rows: readonly Answer[], columns: readonly string[], stream: OutputStream, style: Style): string {
  const texts = rows.map((row) => columns.map((column) => cellOf(row[column])));
  const natural = columns.map((column, index) =>
    Math.max(column.length, ...texts.map((row) => longestLine(row[index] ?? ''))),
  );
  const long = natural.filter((width) => width > SHORT_COLUMN_MAX).length;
  const used = natural.reduce((sum, width) => sum + (width > SHORT_COLUMN_MAX ? 0 : width), 0);
  // Each column has a frame of one character and a blank on both sides.
  const left = stream.columns - used - columns.length * 3 - 1;
  const share = long === 0 ? 0 : Math.floor(left / long);
  if (left < 0 || (long > 0 && share < LONG_COLUMN_MIN)) return stacked(texts, natural, stream, style);
  const table = new Table({
    head: columns.map((column) => style.bold(column.replaceAll('_', ' '))),
    colWidths: natural.map((width) => (width > SHORT_COLUMN_MAX ? share : width) + 2),
    wordWrap: true,
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  table.push(...texts.map((row) => [...row]));
  return `${table.toString()}\n`;
}

/** One block a row for narrow terminals: the short columns on a line, the long ones below it. */
function stacked(
  texts: readonly (readonly string[])[],
  natural: readonly number[],
  stream: OutputStream,
  style: Style,
): string {
  const blocks = texts.map((row) => {
    const short = row.filter((text, index) => (natural[index] ?? 0) <= SHORT_COLUMN_MAX && text !== '');
    const long = row.filter((text, index) => (natural[index] ?? 0) > SHORT_COLUMN_MAX && text !== '');
    const body = long.flatMap((text) => wrapped(text, Math.max(20, stream.columns - 2)).map((line) => `  ${line}\n`));
    return `${style.cyan(short.join('  '))}\n${body.join('')}`;
  });
  return `${blocks.join('\n')}`;
}

function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => {
    const lines: string[] = [];
    let rest = line;
    while (rest.length > width) {
      const blank = rest.lastIndexOf(' ', width);
      const end = blank > 0 ? blank : width;
      lines.push(rest.slice(0, end).toWellFormed());
      rest = rest.slice(end).trimStart();
    }
    return [...lines, rest];
  });
}

/** Times as people read them, to the minute; the exact value is in --json. */
function cellOf(value: unknown): string {
  const text = toText(nameOf(value));
  const time = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d\.\d{3}Z$/.exec(text);
  return time ? `${time[1]} ${time[2]}` : shown(shorten(text, CELL_MAX_CHARS));
}

function longestLine(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

/** Aligned names and values; nested objects are indented, lists become lines. */
function card(answer: Answer, stream: OutputStream, style: Style, indent = ''): string {
  const entries = Object.entries(answer).filter(([, value]) => !isEmpty(value));
  const width = Math.max(0, ...entries.map(([key]) => key.length));
  return entries
    .map(([key, value]) => {
      const name = style.cyan(shown(key.replaceAll('_', ' ')).padEnd(width));
      if (isRecord(value)) return `${indent}${name}\n${card(value, stream, style, `${indent}  `)}`;
      if (Array.isArray(value) && value.some(isRecord)) {
        const items = value.map((item: unknown) =>
          isRecord(item) ? card(item, stream, style, `${indent}  `) : `${indent}  ${shown(toText(item))}\n`,
        );
        return `${indent}${name}\n${items.join('\n')}`;
      }
      const text = shown(toText(value))
        .split('\n')
        .join(`\n${indent}${' '.repeat(width + 2)}`);
      return `${indent}${name}  ${text}\n`;
    })
    .join('');
}

/** A name and its value on a line; of a record within the answer each of its fields. */
function plainLines(answer: Answer): string {
  return Object.entries(answer)
    .flatMap(([key, value]) => (isRecord(value) ? fieldsOf(answer, key, value) : [[key, value] as const]))
    .filter(([, value]) => !isEmpty(value))
    .map(([key, value]) => `${oneField(key)}\t${oneField(toText(value))}\n`)
    .join('');
}

/**
 * The fields of what the answer is about, a task with its `task_id`, have their names alone, but for those that the answer
 * has itself; those of anything else are told apart by its name before them.
 */
function fieldsOf(answer: Answer, key: string, value: Answer): (readonly [string, unknown])[] {
  const isSubject = `${key}_id` in value;
  return Object.entries(value).map(([name, inner]) => [
    isSubject && !Object.hasOwn(answer, name) ? name : `${key}.${name}`,
    inner,
  ]);
}

/** What a record is called, where it has a name for people; a cell of a table has no room for all of it. */
function nameOf(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const names = ['title', 'name', ...Object.keys(value).filter((key) => key.endsWith('_id'))];
  return names.map((key) => value[key]).find((name) => typeof name === 'string' && name !== '') ?? value;
}

/** One field of a tab-separated line: breaks and tabs are written as \n, \r and \t. */
function oneField(text: string): string {
  return shown(text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t'));
}

function toText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Math.round(value * 10_000) / 10_000);
  if (Array.isArray(value) && !value.some(isRecord)) return value.map(toText).join(', ');
  return typeof value === 'object' ? toJsonText(value) : String(value);
}

function shorten(text: string, length_max_chars: number): string {
  return text.length <= length_max_chars ? text : `${text.slice(0, length_max_chars - 1).toWellFormed()}…`;
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

function isRecord(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
