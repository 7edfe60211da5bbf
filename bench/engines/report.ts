// The one table of a run, what follows from it, and the run as text.

import type { Measures } from '../retrieval/metrics.ts';
import { figure, table } from '../speed/report.ts';
import type { Combination } from './combinations.ts';
import type { EngineFloors } from './floors.ts';
import type { Action, Measured } from './load.ts';
import type { PreparedRow } from './stores.ts';

export interface Cell {
  readonly memories: number;
  readonly combination: Combination;
  readonly hubs: number;
  readonly clients: number;
  readonly actions: Readonly<Record<Action, Measured>>;
}

export interface WeightRow {
  readonly memories: number;
  readonly combination: string;
  readonly hubs: number;
  readonly mib_per_hub: number;
  readonly engines_mib: Readonly<Record<string, number>>;
}

export interface QualityRow extends Measures {
  readonly set: string;
  readonly combination: string;
  readonly questions: number;
}

export interface Run {
  readonly floors: EngineFloors;
  readonly prepared: PreparedRow[];
  readonly cells: Cell[];
  readonly weights: WeightRow[];
  readonly quality: QualityRow[];
}

const count = (value: number): string => value.toLocaleString('en');
const round = (value: number): string => (Number.isFinite(value) ? figure(value) : '-');

export function floorsText({ floors }: Run): string {
  const rows = Object.entries(floors).map(([step, { min_ms, p50_ms, p95_ms }]) => [step, min_ms, p50_ms, p95_ms]);
  return `## Floors of this run\n\n${table(['step', 'min ms', 'p50 ms', 'p95 ms'], rows)}`;
}

export function preparedText({ prepared }: Run): string {
  const rows = prepared.map((row) => [
    count(row.memories),
    row.step,
    round(row.seconds),
    round(row.per_second),
    round(row.bytes_per_memory),
  ]);
  return `## Filling the stores\n\n${table(['memories', 'step', 'seconds', 'memories a second', 'bytes a memory on disk'], rows)}`;
}

/** What a call on these engines stands on: one POST and one embedding for a search, one POST and one commit for a store. */
function floorOf(floors: EngineFloors, action: 'search' | 'store', combination: Combination): number {
  const post = floors['fastify POST']?.p50_ms ?? Number.NaN;
  const commit = combination.rows === 'sqlite' ? 'SQLite durable commit' : 'PostgreSQL durable commit';
  return post + (floors[action === 'search' ? 'query embedding' : commit]?.p50_ms ?? Number.NaN);
}

export function engineCost({ cost }: Measured): number {
  return Object.values(cost.engines).reduce((sum, each) => sum + each, 0);
}

const HEAD = [
  'memories',
  'engines',
  'hubs',
  'clients',
  'search p50 ms',
  'p95',
  '/s',
  'x floor',
  'by words alone',
  'store p50 ms',
  'p95',
  '/s',
  'x floor',
  'with vectors /s',
  'list p50 ms',
  'retrieve p50 ms',
  '/s',
  'CPU ms a search: hub',
  'engines',
  'CPU ms a store: hub',
  'engines',
  'nDCG@10',
  'R@10',
];

export function mainText(run: Run): string {
  const rows = run.cells.map(({ memories, combination, hubs, clients, actions }) => {
    const { search, store, list, retrieve } = actions;
    const quality = run.quality.find((row) => row.combination === combination.name);
    return [
      count(memories),
      combination.name,
      hubs,
      clients,
      search.p50_ms,
      search.p95_ms,
      search.per_second,
      search.p50_ms / floorOf(run.floors, 'search', combination),
      `${Math.round(100 * search.by_words)} %`,
      store.p50_ms,
      store.p95_ms,
      store.per_second,
      store.p50_ms / floorOf(run.floors, 'store', combination),
      store.settled_per_second,
      list.p50_ms,
      retrieve.p50_ms,
      retrieve.per_second,
      search.cost.hubs,
      engineCost(search),
      store.cost.hubs,
      engineCost(store),
      quality ? quality.ndcg_10.toFixed(3) : '-',
      quality ? quality.recall_10.toFixed(3) : '-',
    ];
  });
  return `## The table\n\n${table(HEAD, rows)}`;
}

/** What three hubs do that one does not, at the most clients. */
export function hubsText({ cells }: Run): string {
  const clients = Math.max(...cells.map((cell) => cell.clients));
  const rows = cells.flatMap((one) => {
    if (one.hubs !== 1 || one.clients !== clients) return [];
    const more = cells.find(
      (cell) =>
        cell.hubs > 1 &&
        cell.clients === clients &&
        cell.memories === one.memories &&
        cell.combination.name === one.combination.name,
    );
    if (!more) return [];
    const ratios = (['search', 'store', 'list', 'retrieve'] as const).map(
      (action) => more.actions[action].per_second / one.actions[action].per_second,
    );
    return [[count(one.memories), one.combination.name, ...ratios]];
  });
  const head = ['memories', 'engines', 'search', 'store', 'list', 'retrieve'];
  return rows.length === 0
    ? ''
    : `## Calls a second with three hubs / with one, ${clients} clients\n\n${table(head, rows)}`;
}

/** What a search costs as the store grows, with one hub and one client. */
export function growthText({ cells }: Run): string {
  const alone = cells.filter((cell) => cell.hubs === 1 && cell.clients === 1);
  const smallest = Math.min(...alone.map((cell) => cell.memories));
  const rows = alone.flatMap((small) => {
    if (small.memories !== smallest) return [];
    const large = alone.find((cell) => cell.memories > smallest && cell.combination.name === small.combination.name);
    if (!large) return [];
    const [a, b] = [small.actions.search, large.actions.search];
    const cpu = (one: Measured): number => one.cost.hubs + engineCost(one);
    return [[small.combination.name, a.p50_ms, b.p50_ms, b.p50_ms / a.p50_ms, cpu(a), cpu(b), cpu(b) / cpu(a)]];
  });
  if (rows.length === 0) return '';
  const largest = Math.max(...alone.map((cell) => cell.memories));
  const [at, then] = [count(smallest), count(largest)];
  const head = ['engines', `p50 ms at ${at}`, `at ${then}`, 'ratio', `CPU ms at ${at}`, `at ${then}`, 'ratio'];
  return `## Cost of a search as the store grows\n\n${table(head, rows)}`;
}

export function weightText({ weights }: Run): string {
  const rows = weights.map((row) => [
    count(row.memories),
    row.combination,
    row.hubs,
    row.mib_per_hub,
    Object.entries(row.engines_mib)
      .map(([name, mib]) => `${name} ${figure(mib)}`)
      .join(', ') || '-',
  ]);
  return `## Main memory after the load\n\n${table(['memories', 'engines', 'hubs', 'MiB a hub', 'MiB of engines'], rows)}`;
}

export function qualityText({ quality }: Run): string {
  const rows = quality.map((row) => [
    row.combination,
    row.set,
    row.questions,
    row.ndcg_10.toFixed(4),
    row.recall_5.toFixed(4),
    row.recall_10.toFixed(4),
  ]);
  return rows.length === 0
    ? ''
    : `## Quality\n\n${table(['engines', 'set', 'questions', 'nDCG@10', 'R@5', 'R@10'], rows)}`;
}
