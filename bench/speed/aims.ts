// What the product aims at, each aim beside the figure of this run.
import type { Way } from './clients.ts';
import type { Action, OperationRow } from './operations.ts';
import { figure, type Measurements, table } from './report.ts';

export interface Aim {
  readonly aim: string;
  readonly bar: number;
  readonly measured: number;
  readonly unit: string;
  readonly met: boolean;
}

/** Stores grow in other ways than their size (pages, cache): this much is noise of the disk. */
const GROWTH_MAX = 1.5;

/** Aims whose measurements are there; the others are left out. */
export function aimsOf(measured: Measurements): Aim[] {
  const aims: Aim[] = [];
  const most = (aim: string, value: number | undefined, bar: number, unit: string) => {
    if (value !== undefined) aims.push({ aim, bar, measured: value, unit, met: value <= bar });
  };
  const least = (aim: string, value: number | undefined, bar: number, unit: string) => {
    if (value !== undefined) aims.push({ aim, bar, measured: value, unit, met: value >= bar });
  };
  operationAims(measured, most, least);
  const longest = measured.operations?.blocks.find((row) => row.size === 100_000)?.searching_ms;
  most('main thread blocked by searches at 100,000', longest, 50, 'ms');
  for (const row of measured.filters ?? []) {
    least(`recall@10 of the index with filter: ${row.filter}`, row.vector_recall, 0.99, '');
    least(`recall@10 of the words with filter: ${row.filter}`, row.text_recall, 0.99, '');
  }
  for (const row of measured.starts ?? []) {
    if (row.start === '1,000 memories' || row.start === 'new store' || row.start === 'beside a hub') {
      most(`cold start of haivemind mcp, ${row.start}, p50`, row.p50_ms, 300, 'ms');
    }
    if (row.start.startsWith('first ever')) most(`cold start, ${row.start}, p50`, row.p50_ms, 300, 'ms');
    if (row.start === 'up, to /health') most('second start of a hub, p50', row.p50_ms, 3_000, 'ms');
  }
  for (const row of measured.weight?.rows ?? []) {
    if (row.what.startsWith('stdio, by hub')) most('resident memory, stdio beside a hub', row.mib, 90, 'MiB');
    if (row.what.startsWith('hub, empty store: model')) most('resident memory, hub with model', row.mib, 260, 'MiB');
  }
  for (const row of measured.writers ?? []) {
    least(`${row.how}, writes a second`, row.per_second, 400, '/s');
    most(`${row.how}, acknowledged and lost`, row.lost, 0, '');
  }
  return aims;
}

type Check = (aim: string, value: number | undefined, bar: number, unit: string) => void;

function operationAims({ operations, floors }: Measurements, most: Check, least: Check): void {
  const find = (action: Action, size: number, way: Way, clients: number): OperationRow | undefined =>
    operations?.rows.find(
      (row) => row.action === action && row.size === size && row.way === way && row.clients === clients,
    );
  const embedding = floors['query embedding'];
  const commit = floors['durable commit'];
  const text = floors['document embedding'];
  for (const way of ['stdio, direct', 'stdio, by hub', 'HTTP /mcp', 'REST'] as const) {
    const search = find('search', 100_000, way, 1);
    most(
      `search at 100,000, ${way}, p50: 1.5 query embeddings + 15 ms`,
      search?.p50_ms,
      1.5 * embedding.p50_ms + 15,
      'ms',
    );
    most(
      `search at 100,000, ${way}, min: 1.5 query embeddings + 15 ms`,
      search?.min_ms,
      1.5 * embedding.min_ms + 15,
      'ms',
    );
  }
  for (const way of ['stdio, direct', 'stdio, by hub'] as const) {
    for (const size of [1_000, 10_000, 100_000]) {
      const store = find('store', size, way, 1);
      const bar = 1.5 * (text.p50_ms + commit.p50_ms);
      most(
        `store at ${size.toLocaleString('en')}, ${way}, p50: 1.5 x (one embedding + one commit)`,
        store?.p50_ms,
        bar,
        'ms',
      );
    }
    const [small, large] = [find('store', 1_000, way, 1), find('store', 100_000, way, 1)];
    const growth = small && large ? large.p50_ms / small.p50_ms : undefined;
    most(`store does not grow, ${way}: p50 at 100,000 / at 1,000`, growth, GROWTH_MAX, 'x');
  }
  for (const way of ['stdio, by hub', 'HTTP /mcp'] as const) {
    least(`searches a second at 1,000, 4 clients, ${way}`, find('search', 1_000, way, 4)?.per_second, 150, '/s');
  }
}

export function aimsTable(aims: readonly Aim[]): string {
  const rows = aims.map(({ aim, bar, measured, unit, met }) => [
    aim,
    `${figure(bar)} ${unit}`.trim(),
    `${figure(measured)} ${unit}`.trim(),
    met ? 'met' : 'NOT MET',
  ]);
  return `## Aims\n\n${table(['aim', 'bar', 'measured', ''], rows)}`;
}
