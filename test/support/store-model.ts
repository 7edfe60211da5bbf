// What a store must say after any mix of operations: a model in memory, and the operations that change both alike.
// Operations on one memory follow each other; those on different memories run at the same time.
import type { Ask } from './ledger.ts';
import { type Seeded, sentence } from './seeded.ts';

interface Fields {
  readonly content: string;
  readonly tags: readonly string[];
  readonly category: string;
  readonly importance: number;
}

interface Modelled {
  readonly memory_id: string;
  readonly token: string;
  fields: Fields;
  deleted: boolean;
  version: number;
  /** What updates replaced, newest last; undefined once something happened that this model does not undo. */
  past: Fields[] | undefined;
  busy: boolean;
}

export interface StoreModel {
  readonly memories: Map<string, Modelled>;
  readonly counts: Map<string, number>;
  readonly random: Seeded;
}

export function newModel(random: Seeded): StoreModel {
  return { memories: new Map(), counts: new Map(), random };
}

const CATEGORIES = ['project', 'global', 'incidents', 'runbooks'];

type Step = (model: StoreModel, ask: Ask) => Promise<void>;

/** Steps by how often they come: about half of them store. */
const STEPS: readonly (readonly [weight: number, name: string, step: Step])[] = [
  [36, 'store', store],
  [6, 'store again', storeAgain],
  [16, 'update', update],
  [8, 'undo', undo],
  [8, 'delete', remove],
  [6, 'recover', recover],
  [2, 'destroy', destroy],
  [3, 'merge', merge],
  [8, 'retrieve', retrieve],
  [7, 'search', search],
];
const WEIGHTS = STEPS.reduce((sum, [weight]) => sum + weight, 0);

/** One random operation through one process. Throws where the answer is not what the model expects. */
export async function step(model: StoreModel, ask: Ask): Promise<void> {
  let at = model.random.below(WEIGHTS);
  for (const [weight, name, run] of STEPS) {
    at -= weight;
    if (at >= 0) continue;
    model.counts.set(name, (model.counts.get(name) ?? 0) + 1);
    return run(model, ask);
  }
}

function randomFields(random: Seeded, token: string): Fields {
  return {
    content: sentence(random, token),
    tags: ['blue', 'green', 'red'].filter(() => random.below(2) === 0),
    category: random.pick(CATEGORIES),
    importance: random.below(11) / 10,
  };
}

async function store(model: StoreModel, ask: Ask): Promise<void> {
  const token = model.random.word();
  const fields = randomFields(model.random, token);
  const { memory_id, created } = await ask('store_memory', { ...fields });
  expectEqual('a new memory is created', created, true);
  const id = String(memory_id);
  expectEqual('ids are new', model.memories.has(id), false);
  model.memories.set(id, { memory_id: id, token, fields, deleted: false, version: 1, past: [], busy: false });
}

async function storeAgain(model: StoreModel, ask: Ask): Promise<void> {
  await withOne(model, living, async (memory) => {
    const { memory_id, created } = await ask('store_memory', { content: memory.fields.content, category: 'global' });
    expectEqual(
      'the same text is the same memory',
      { memory_id, created },
      { memory_id: memory.memory_id, created: false },
    );
  });
}

async function update(model: StoreModel, ask: Ask): Promise<void> {
  await withOne(model, living, async (memory) => {
    const next = { ...randomFields(model.random, memory.token), category: memory.fields.category };
    const { content, tags, importance } = next;
    const { version } = await ask('update_memory', { memory_id: memory.memory_id, content, tags, importance });
    if (JSON.stringify(next) !== JSON.stringify(memory.fields)) changed(memory, next, 'push');
    expectEqual('version after an update', version, memory.version);
  });
}

async function undo(model: StoreModel, ask: Ask): Promise<void> {
  const undoable = (memory: Modelled): boolean => living(memory) && (memory.past?.length ?? 0) > 0;
  await withOne(model, undoable, async (memory) => {
    const before = memory.past?.at(-1);
    if (!before) return;
    const { version } = await ask('update_memory', { memory_id: memory.memory_id, undo: true });
    changed(memory, before, 'pop');
    expectEqual('version after an undo', version, memory.version);
  });
}

async function remove(model: StoreModel, ask: Ask): Promise<void> {
  await withOne(model, living, async (memory) => {
    await ask('delete_memory', { memory_id: memory.memory_id });
    memory.deleted = true;
    changed(memory, memory.fields, 'forget');
  });
}

async function recover(model: StoreModel, ask: Ask): Promise<void> {
  await withOne(model, binned, async (memory) => {
    const { version } = await ask('recover_deleted_memory', { memory_id: memory.memory_id });
    memory.deleted = false;
    changed(memory, memory.fields, 'forget');
    expectEqual('version after a recovery', version, memory.version);
  });
}

async function destroy(model: StoreModel, ask: Ask): Promise<void> {
  await withOne(
    model,
    () => true,
    async (memory) => {
      await ask('delete_memory', { memory_id: memory.memory_id, hard_delete: true });
      model.memories.delete(memory.memory_id);
    },
  );
}

async function merge(model: StoreModel, ask: Ask): Promise<void> {
  await withOne(model, living, (kept) =>
    withOne(model, living, async (removed) => {
      await ask('merge_duplicate_memories', {
        memory_id_1: removed.memory_id,
        memory_id_2: kept.memory_id,
        keep_memory: kept.memory_id,
      });
      const tags = [...new Set([...kept.fields.tags, ...removed.fields.tags])];
      const importance = Math.max(kept.fields.importance, removed.fields.importance);
      removed.deleted = true;
      changed(removed, removed.fields, 'forget');
      changed(kept, { ...kept.fields, tags, importance }, 'forget');
    }),
  );
}

async function retrieve(model: StoreModel, ask: Ask): Promise<void> {
  await withOne(
    model,
    () => true,
    async (memory) => {
      const seen = await ask('retrieve_memory', { memory_id: memory.memory_id }).catch((error: unknown) => {
        if (String(error).includes('not_found')) return undefined;
        throw error;
      });
      expectEqual(`there: ${memory.memory_id}`, seen !== undefined, !memory.deleted);
      if (seen)
        expectEqual(`fields of ${memory.memory_id}`, shown(seen), { ...memory.fields, version: memory.version });
    },
  );
}

async function search(model: StoreModel, ask: Ask): Promise<void> {
  await withOne(
    model,
    () => true,
    async (memory) => {
      const { results } = await ask('search_memories', {
        query: memory.token,
        semantic: false,
        detail: 'ids',
        limit: 3,
      });
      const found = (results as { memory_id: string }[]).some(({ memory_id }) => memory_id === memory.memory_id);
      expectEqual(`search finds ${memory.token}`, found, !memory.deleted);
    },
  );
}

function changed(memory: Modelled, next: Fields, history: 'push' | 'pop' | 'forget'): void {
  if (history === 'push') memory.past?.push(memory.fields);
  else if (history === 'pop') memory.past?.pop();
  else memory.past = undefined;
  memory.fields = next;
  memory.version++;
}

const living = (memory: Modelled): boolean => !memory.deleted;
const binned = (memory: Modelled): boolean => memory.deleted;

/** Runs with a memory that no other operation touches meanwhile; does nothing where there is none. */
async function withOne(
  { memories, random }: StoreModel,
  fits: (memory: Modelled) => boolean,
  work: (memory: Modelled) => Promise<void>,
): Promise<void> {
  const free = [...memories.values()].filter((memory) => !memory.busy && fits(memory));
  if (free.length === 0) return;
  const memory = random.pick(free);
  memory.busy = true;
  await work(memory);
  memory.busy = false;
}

/** Reads the whole store through one process, while nobody writes, and compares it with the model. */
export async function compareAll(model: StoreModel, ask: Ask): Promise<void> {
  const expected = [...model.memories.values()].filter(living);
  const { total, deleted } = await ask('get_memory_stats', {});
  expectEqual('totals', { total, deleted }, { total: expected.length, deleted: model.memories.size - expected.length });
  const seen = new Map<string, unknown>();
  let cursor: unknown;
  do {
    const page = await ask('search_memories', {
      limit: 200,
      max_tokens: 100_000,
      ...(typeof cursor === 'string' ? { cursor } : {}),
    });
    for (const memory of page.results as Record<string, unknown>[]) seen.set(String(memory.memory_id), shown(memory));
    cursor = page.next_cursor;
  } while (typeof cursor === 'string');
  expectEqual('listed', seen.size, expected.length);
  for (const { memory_id, fields, version } of expected)
    expectEqual(`fields of ${memory_id}`, seen.get(memory_id), { ...fields, version });
}

function shown(memory: Readonly<Record<string, unknown>>): unknown {
  const { content, tags, category, importance, version } = memory;
  return { content, tags, category, importance, version };
}

function expectEqual(what: string, actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a}, but the model says ${b}`);
}
