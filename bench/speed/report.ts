// The measurements of one run, and its tables as text.
import type { ImportRow, WritersRow } from './bulk.ts';
import type { FilterRow } from './filters.ts';
import type { Floors } from './floors.ts';
import type { OperationResult } from './operations.ts';
import { QUOTED } from './quoted.ts';
import type { StartRow } from './starts.ts';
import type { Summary } from './stats.ts';
import type { Weight } from './weight.ts';

export interface Measurements {
  floors: Floors;
  operations?: OperationResult;
  filters?: FilterRow[];
  starts?: StartRow[];
  weight?: Weight;
  imports?: ImportRow[];
  writers?: WritersRow[];
}

type Cell = string | number;

const TIMES = ['min ms', 'p50 ms', 'p95 ms'];

/** A Markdown table with its columns aligned; numbers stand right. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const shown = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? figure(cell) : cell)));
  const widths = head.map((title, i) => Math.max(3, title.length, ...shown.map((row) => row[i]?.length ?? 0)));
  const right = head.map((_, i) => rows.length > 0 && rows.every((row) => typeof row[i] === 'number'));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (right[i] ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|`;
  return [line(head), rule, ...shown.map(line)].join('\n');
}

/** Three significant digits; whole above a hundred. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

function times({ min_ms, p50_ms, p95_ms }: Summary): Cell[] {
  return [min_ms, p50_ms, p95_ms];
}

export function floorsTable(floors: Floors): string {
  const rows = Object.entries(floors).map(([name, summary]) => [name, ...times(summary), summary.count]);
  return `## Floors of this run\n\n${table(['step', ...TIMES, 'runs'], rows)}`;
}

/** The floor that a row of the table stands on: what its operation cannot do without. */
function floorOf(floors: Floors, action: string, way: string): number {
  const call = way.startsWith('stdio') ? floors['MCP echo, stdio'].p50_ms : floors['MCP echo, HTTP'].p50_ms;
  if (action === 'search') return call + floors['query embedding'].p50_ms;
  if (action === 'store') return call + floors['durable commit'].p50_ms;
  return call;
}

export function operationsTables({ operations, floors }: Measurements): string {
  if (!operations) return '';
  const rows = operations.rows.map((row): Cell[] => [
    row.action,
    row.size.toLocaleString('en'),
    row.way,
    row.clients,
    ...times(row),
    row.per_second,
    row.p50_ms / floorOf(floors, row.action, row.way),
  ]);
  const head = ['operation', 'memories', 'way', 'clients', ...TIMES, 'a second', 'p50 / floor'];
  const order = ['search', 'store', 'retrieve', 'list'];
  rows.sort((a, b) => order.indexOf(String(a[0])) - order.indexOf(String(b[0])));
  const text = [
    `## Operations\n\nThe floor of a search is one query embedding and one echo call of the SDK, of a store one durable commit and one echo call, of the others one echo call.\n\n${table(head, rows)}`,
  ];
  if (operations.blocks.length > 0) {
    const blocks = operations.blocks.map((row): Cell[] => [
      row.size.toLocaleString('en'),
      row.searching_ms,
      row.idle_ms,
    ]);
    text.push(
      `### Main thread of the hub: longest delay while 60 searches run\n\n${table(['memories', 'searching ms', 'idle ms'], blocks)}`,
    );
  }
  return text.join('\n\n');
}

export function filtersTable({ filters }: Measurements, size: number): string {
  if (!filters) return '';
  const rows = filters.map((row): Cell[] => [
    row.filter,
    row.matching,
    ...times(row),
    row.vector_recall,
    row.text_recall,
  ]);
  const head = ['filter', 'matching', ...TIMES, 'recall@10 vectors', 'recall@10 words'];
  return `## Search with filters at ${size.toLocaleString('en')} memories\n\nRecall is against full comparison with every memory that passes the filter.\n\n${table(head, rows)}`;
}

export function startsTable({ starts, floors }: Measurements): string {
  if (!starts) return '';
  const rows = starts.map((row): Cell[] => [row.start, ...times(row), row.min_ms / floors['node start'].min_ms]);
  return `## Starts\n\n\`haivemind mcp\` from the start of the process to its answer to tools/list, unless said otherwise.\n\n${table(['start', ...TIMES, 'min / start of Node'], rows)}`;
}

export function weightTables({ weight }: Measurements): string {
  if (!weight) return '';
  const rows = weight.rows.map((row): Cell[] => [row.what, row.mib]);
  const bytes = weight.bytes.map((row): Cell[] => [
    row.size.toLocaleString('en'),
    row.disk_bytes / row.size,
    row.index_bytes / row.size,
  ]);
  return `## Weight\n\n${table(['process', 'resident MiB'], rows)}\n\n${table(['memories', 'bytes a memory on disk', 'bytes a memory in the vector index'], bytes)}`;
}

export function bulkTables({ imports, writers }: Measurements): string {
  const text: string[] = [];
  if (imports) {
    const rows = imports.map((row): Cell[] => [
      row.how,
      row.documents,
      row.acknowledged_per_second,
      row.searchable_per_second,
    ]);
    text.push(
      `## Import of JSONL\n\n${table(['how', 'documents', 'acknowledged a second', 'with vectors a second'], rows)}`,
    );
  }
  if (writers) {
    const rows = writers.map((row): Cell[] => [row.how, row.writes, row.per_second, row.lost]);
    text.push(
      `## Four processes on one data directory\n\n${table(['how', 'writes', 'writes a second', 'lost'], rows)}`,
    );
  }
  return text.join('\n\n');
}

export function quotedTable(): string {
  const rows = QUOTED.map((row) => [row.what, row.mcp_memory_service, row.basic_memory, row.server_memory]);
  return `## Other memory servers (quoted, other run)\n\n${table(['', 'mcp-memory-service', 'basic-memory', 'server-memory'], rows)}`;
}
