// What was acknowledged to a writer, and whether the store still says so after everything that happened to it.
import { type Seeded, sentence } from './seeded.ts';

/** Calls an operation by its tool name; rejects where it fails or nobody is there to answer. */
export type Ask = (
  tool: string,
  input: Readonly<Record<string, unknown>>,
) => Promise<Readonly<Record<string, unknown>>>;

interface State {
  readonly content: string;
  readonly tags: readonly string[];
  readonly deleted: boolean;
}

interface Entry {
  readonly memory_id: string;
  /** A word that no other memory of the store has. */
  readonly token: string;
  /** What may be true now: one state where the last write was acknowledged, two where its answer was lost. */
  possible: readonly State[];
  busy: boolean;
}

export interface Ledger {
  readonly random: Seeded;
  readonly entries: Entry[];
  acknowledged: number;
  unanswered: number;
}

export function newLedger(random: Seeded): Ledger {
  return { random, entries: [], acknowledged: 0, unanswered: 0 };
}

/** One random write; true when it was acknowledged, false when its answer never came. Other failures are thrown. */
export async function writeOnce(ledger: Ledger, ask: Ask, isLost: (error: unknown) => boolean): Promise<boolean> {
  const kind = ledger.random.below(10);
  const target = kind < 6 ? undefined : freeLiving(ledger);
  const write =
    target === undefined ? store(ledger, ask) : kind < 9 ? update(ledger, target, ask) : remove(target, ask);
  try {
    await write;
    ledger.acknowledged++;
    return true;
  } catch (error) {
    if (!isLost(error)) throw error;
    ledger.unanswered++;
    return false;
  }
}

function freeLiving(ledger: Ledger): Entry | undefined {
  const free = ledger.entries.filter((entry) => !entry.busy && entry.possible.every((state) => !state.deleted));
  return free.length > 0 ? ledger.random.pick(free) : undefined;
}

async function store(ledger: Ledger, ask: Ask): Promise<void> {
  const token = ledger.random.word();
  const state = { content: sentence(ledger.random, token), tags: tagsFor(ledger), deleted: false };
  const { memory_id } = await ask('store_memory', { content: state.content, tags: state.tags, category: 'project' });
  ledger.entries.push({ memory_id: String(memory_id), token, possible: [state], busy: false });
}

async function update(ledger: Ledger, entry: Entry, ask: Ask): Promise<void> {
  const content = sentence(ledger.random, entry.token);
  const tags = tagsFor(ledger);
  await change(entry, { content, tags, deleted: false }, () =>
    ask('update_memory', { memory_id: entry.memory_id, content, tags }),
  );
}

async function remove(entry: Entry, ask: Ask): Promise<void> {
  const [now] = entry.possible;
  if (!now) throw new Error('an entry without a state');
  await change(entry, { ...now, deleted: true }, () => ask('delete_memory', { memory_id: entry.memory_id }));
}

/** Until the answer comes both states are possible; where it never comes, for ever. */
async function change(entry: Entry, next: State, act: () => Promise<unknown>): Promise<void> {
  const before = entry.possible;
  entry.busy = true;
  entry.possible = [...before, next];
  await act();
  entry.possible = [next];
  entry.busy = false;
}

function tagsFor(ledger: Ledger): string[] {
  return ['one', 'two', 'three'].filter(() => ledger.random.below(2) === 0);
}

/** Asks for every memory by its id and by its word. Returns what is not as acknowledged. */
export async function contradictions(ledger: Ledger, ask: Ask): Promise<string[]> {
  const found: string[] = [];
  for (const entry of ledger.entries) {
    const [seen, ids] = await Promise.all([retrieved(entry, ask), searched(entry.token, ask)]);
    const fits = entry.possible.some((state) => sameState(state, seen));
    if (!fits)
      found.push(`${entry.token} ${entry.memory_id}: ${JSON.stringify(seen)} of ${JSON.stringify(entry.possible)}`);
    if (ids.includes(entry.memory_id) === seen.deleted) found.push(`${entry.token}: search disagrees with retrieval`);
    if (ids.length > 1) found.push(`${entry.token}: stored ${ids.length} times`);
  }
  return found;
}

async function retrieved(entry: Entry, ask: Ask): Promise<State> {
  try {
    const { content, tags } = await ask('retrieve_memory', { memory_id: entry.memory_id });
    return { content: String(content), tags: tags as string[], deleted: false };
  } catch (error) {
    if (String(error).includes('not_found')) return { content: '', tags: [], deleted: true };
    throw error;
  }
}

function sameState(expected: State, seen: State): boolean {
  if (expected.deleted || seen.deleted) return expected.deleted === seen.deleted;
  return expected.content === seen.content && JSON.stringify(expected.tags) === JSON.stringify(seen.tags);
}

export async function searched(token: string, ask: Ask): Promise<string[]> {
  const { results } = await ask('search_memories', { query: token, semantic: false, detail: 'ids', limit: 5 });
  return (results as { memory_id: string }[]).map((result) => result.memory_id);
}
