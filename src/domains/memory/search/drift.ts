// Differences between the rows and the vector index that another program holds, found page by page.
import type { VectorServer } from '../../../storage/vectors/servers/port.ts';
import type { MemoryDatabase } from '../repository.ts';
import { type ExpectedRow, expectedRows, type Model } from './indexed-rows.ts';
import { notedAmong } from './outbox.ts';

const PAGE_COUNT = 1_000;

export interface Difference {
  readonly row_id: number;
  /** Absent where the row is gone. */
  readonly memory_id: string | undefined;
  /** `missing` in the index, `stale` (another state of the row), `surplus` (no living row with vectors). */
  readonly kind: 'missing' | 'stale' | 'surplus';
}

export interface ComparedPage {
  /** Living rows of this page, and those of them that wait for their vectors. */
  readonly rows: number;
  readonly without_vector: number;
  readonly differences: readonly Difference[];
}

export interface CompareDeps {
  readonly store: MemoryDatabase;
  readonly server: Pick<VectorServer, 'revisions'>;
  readonly model: Model;
}

interface Look {
  readonly rows: readonly ExpectedRow[];
  /** What row and index said of each id that differs, as one text. */
  readonly differing: ReadonlyMap<number, { readonly difference: Difference; readonly said: string }>;
  /** Ids up to here were looked at; beyond the last one where nothing is left. */
  readonly to: number;
}

/**
 * Compares all pages. Hubs may serve meanwhile: what the outbox names is no difference, and neither is what looks
 * different only once. Rejects with what the server or the store rejects with, and with the signal's reason.
 */
export async function* comparePages(deps: CompareDeps, signal: AbortSignal): AsyncGenerator<ComparedPage> {
  for (let after = 0; after !== Number.POSITIVE_INFINITY; ) {
    signal.throwIfAborted();
    const first = await look(deps, after);
    yield {
      rows: first.rows.length,
      without_vector: first.rows.filter((row) => row.chunks === 0).length,
      differences: first.differing.size === 0 ? [] : await confirmed(deps, after, first),
    };
    after = first.to;
  }
}

/**
 * A change under way is in the outbox until the index has answered. So what differs, is not in the outbox, and says the
 * same of itself when it is looked at once more, is no change under way.
 */
async function confirmed(deps: CompareDeps, after: number, first: Look): Promise<Difference[]> {
  const noted = await notedAmong(deps.store, [...first.differing.keys()]);
  const again = await look(deps, after);
  return [...first.differing.values()].flatMap(({ difference, said }) => {
    const same = again.differing.get(difference.row_id)?.said === said;
    return same && !noted.has(difference.row_id) ? [difference] : [];
  });
}

async function look({ store, server, model }: CompareDeps, after: number): Promise<Look> {
  const indexed = await server.revisions(after, PAGE_COUNT);
  const rows = await expectedRows(store, model.id, after, PAGE_COUNT);
  // Both pages reach to here: a longer one is cut, its rest is looked at with the next page.
  const to = Math.min(endOf(indexed), endOf(rows));
  const there = new Map(indexed.filter(({ row_id }) => row_id <= to).map((entry) => [entry.row_id, entry]));
  const within = rows.filter(({ row_id }) => row_id <= to);
  const expected = new Map(within.map((row) => [row.row_id, row]));
  const differing = new Map<number, { difference: Difference; said: string }>();
  for (const row_id of new Set([...there.keys(), ...expected.keys()])) {
    const [row, entry] = [expected.get(row_id), there.get(row_id)];
    const kind = differenceOf(row, entry);
    if (!kind) continue;
    const said = JSON.stringify([row?.revision, row?.chunks, entry?.revision, entry?.chunks]);
    differing.set(row_id, { difference: { row_id, memory_id: row?.memory_id, kind }, said });
  }
  return { rows: within, differing, to };
}

type State = { readonly revision: string; readonly chunks: number } | undefined;

function differenceOf(row: State, entry: State): Difference['kind'] | undefined {
  const wanted = row && row.chunks > 0 ? row : undefined;
  if (!wanted) return entry ? 'surplus' : undefined;
  if (!entry) return 'missing';
  return wanted.revision === entry.revision && wanted.chunks === entry.chunks ? undefined : 'stale';
}

function endOf(page: readonly { readonly row_id: number }[]): number {
  return page.length < PAGE_COUNT ? Number.POSITIVE_INFINITY : (page.at(-1)?.row_id ?? Number.POSITIVE_INFINITY);
}
