// Four stdio processes (two alone, two through the hub) and a hub write at once: nothing is lost, everybody sees everything.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt, makePlace, type Place } from './cli-binary.ts';
import { type Ask, contradictions, newLedger, searched, writeOnce } from './support/ledger.ts';
import { killLeftovers } from './support/mcp-process.ts';
import { fourAtATime, type Member, stdioMember } from './support/multi-process.ts';
import { restAsk } from './support/rest-ask.ts';
import { seeded } from './support/seeded.ts';
import { checkStore, queuedCount } from './support/store-check.ts';

const WRITES_EACH = 60;
const VECTORS_DEADLINE_MS = 60_000;

let place: Place;
let members: Member[];
let hub: Ask;

beforeAll(async () => {
  ensureBuilt();
  place = makePlace();
  // The first two start without a hub and keep the store open themselves; the hub then starts beside them.
  const alone = [await stdioMember(place, 'alone 1'), await stdioMember(place, 'alone 2')];
  const { listening } = await place.serve(['serve']);
  hub = restAsk(listening.url);
  members = [...alone, await stdioMember(place, 'proxied 1'), await stdioMember(place, 'proxied 2')];
});
afterAll(async () => {
  await killLeftovers();
  await place.remove();
});

const notLost = (): boolean => false;

describe('four stdio processes and a hub', () => {
  it('write at once and lose nothing', async () => {
    const random = seeded();
    const writers = [...members.map(({ ask }) => ask), hub];
    const ledgers = writers.map(() => newLedger(random.fork()));
    const started_ms = performance.now();
    await Promise.all(
      ledgers.map((ledger, i) =>
        fourAtATime(WRITES_EACH, async () => {
          await writeOnce(ledger, writers[i] as Ask, notLost);
        }),
      ),
    );
    const took_s = (performance.now() - started_ms) / 1000;
    const acknowledged = ledgers.reduce((sum, ledger) => sum + ledger.acknowledged, 0);
    expect(acknowledged).toBe(WRITES_EACH * writers.length);
    console.log(`${Math.round(acknowledged / took_s)} writes/s by ${writers.length} writers; seed ${random.seed}`);
    const ids = ledgers.flatMap((ledger) => ledger.entries.map((entry) => entry.memory_id));
    expect(new Set(ids).size).toBe(ids.length);
    // Each ledger is checked by somebody else than its writer.
    const found = await Promise.all(
      ledgers.map((ledger, i) => contradictions(ledger, (members[(i + 1) % members.length] as Member).ask)),
    );
    expect(found.flat(), `seed ${random.seed}`).toEqual([]);
    expect(checkStore(place.data_dir).problems).toEqual([]);
  });

  it('find each other’s memories by their words in the first search after the acknowledgement', async () => {
    const random = seeded();
    const latencies_ms: number[] = [];
    for (const writer of [...members.map(({ ask }) => ask), hub]) {
      const token = random.word();
      const { memory_id } = await writer('store_memory', { content: `Note about ${token}.`, category: 'project' });
      const acknowledged_ms = performance.now();
      for (const reader of members) {
        expect(await searched(token, reader.ask), reader.name).toEqual([memory_id]);
        latencies_ms.push(performance.now() - acknowledged_ms);
      }
    }
    console.log(`seen by words by the last of four within ${Math.round(Math.max(...latencies_ms))} ms`);
  });

  it('find each other’s memories by their meaning as soon as the vector is there', async () => {
    const [writer, ...others] = members as [Member, ...Member[]];
    await expect.poll(() => queuedCount(place.data_dir), { timeout: VECTORS_DEADLINE_MS }).toBe(0);
    for (const { ask } of members) await ask('search_memories', { query: 'warm up', limit: 1 });
    const stored = await writer.ask('store_memory', {
      content: 'The feline slept on the windowsill all afternoon.',
      category: 'global',
    });
    const acknowledged_ms = performance.now();
    await expect.poll(() => queuedCount(place.data_dir), { timeout: VECTORS_DEADLINE_MS, interval: 5 }).toBe(0);
    const embedded_ms = performance.now();
    for (const { ask, name } of others) {
      const { results, mode } = await ask('search_memories', { query: 'cat napping', limit: 3, detail: 'ids' });
      expect({ name, mode, ids: (results as { memory_id: string }[]).map(({ memory_id }) => memory_id) }).toMatchObject(
        { name, mode: 'hybrid', ids: expect.arrayContaining([stored.memory_id]) },
      );
    }
    const [vector, seen] = [embedded_ms - acknowledged_ms, performance.now() - acknowledged_ms];
    console.log(
      `vector there ${Math.round(vector)} ms after the acknowledgement, seen by three after ${Math.round(seen)} ms`,
    );
  });

  it('storing the same text at the same moment give one memory', async () => {
    const content = `The same sentence from everywhere ${seeded().word()}`;
    const writers = [...members.map(({ ask }) => ask), hub];
    const answers = await Promise.all(writers.map((ask) => ask('store_memory', { content, category: 'project' })));
    expect(new Set(answers.map(({ memory_id }) => memory_id)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
  });

  it('see updates and deletions of others at once', async () => {
    const [first, second, third] = members as [Member, Member, Member];
    const [before, after] = [seeded().word(), seeded(7).word()];
    const { memory_id } = await first.ask('store_memory', { content: `Port of ${before}`, category: 'project' });
    await second.ask('update_memory', { memory_id, content: `Port of ${after}` });
    expect(await searched(after, third.ask)).toEqual([memory_id]);
    expect(await searched(before, third.ask)).not.toContain(memory_id);
    await third.ask('delete_memory', { memory_id });
    expect(await searched(after, first.ask)).not.toContain(memory_id);
    await expect(first.ask('retrieve_memory', { memory_id })).rejects.toThrow('not_found');
  });
});
