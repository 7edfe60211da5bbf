// Hubs that compete for the same memory or the same text: one of them wins, and the others see it.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withClient } from '../../scripts/engines/client.ts';
import { describeEngine } from '../engines/suites.ts';
import { type Seeded, seeded, sentence } from '../support/seeded.ts';
import { type Answer, type Call, mcpCaller, restCaller } from './callers.ts';
import { checkAll } from './checks.ts';
import { type Cluster, type Hub, startCluster } from './cluster.ts';
import type { Entry } from './load.ts';

const ROUNDS = 12;
const AT_ONCE = 12;

describeEngine(['postgres', 'redis', 'chroma'], () => {
  let cluster: Cluster;
  let random: Seeded;
  /** Each is bound to one hub. */
  let calls: readonly Call[];
  const entries: Entry[] = [];
  beforeAll(async () => {
    random = seeded();
    cluster = await startCluster({ hubs: 2, redis: true, chroma: true });
    const at = (hub: Hub) => ({ next: () => hub });
    calls = cluster.hubs.flatMap((hub) => [restCaller(at(hub)), mcpCaller(at(hub), hub.name)]);
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const outputOf = (answer: Answer) => {
    if ('failed' in answer) throw new Error(`seed ${random.seed}: ${answer.failed.message}`);
    return answer.output;
  };
  const codesOf = (answers: readonly Answer[]) =>
    answers.flatMap((answer) => ('failed' in answer ? answer.failed.code : []));
  const one = (): Call => random.pick(calls);
  async function store(): Promise<Entry> {
    const token = random.word();
    const content = sentence(random, token);
    const { memory_id } = outputOf(await one()('store_memory', { content, category: 'project', tags: [token] }));
    const entry: Entry = { memory_id: String(memory_id), token, contents: [content], version: 1, deleted: false };
    entries.push(entry);
    return entry;
  }
  const sees = async (call: Call, { memory_id }: Entry) => outputOf(await call('retrieve_memory', { memory_id }));

  it('one of all that change a version wins, and all see its text', async () => {
    const entry = await store();
    for (let round = 0; round < ROUNDS; round++) {
      const texts = calls.map(() => sentence(random, entry.token));
      const expected_version = entry.version;
      const answers = await Promise.all(
        calls.map((call, i) =>
          call('update_memory', { memory_id: entry.memory_id, content: texts[i], expected_version }),
        ),
      );
      const winners = texts.filter((_, i) => 'output' in (answers[i] ?? {}));
      expect(winners, `seed ${random.seed}`).toHaveLength(1);
      expect(codesOf(answers)).toEqual(Array(calls.length - 1).fill('conflict'));
      entry.contents.push(...winners);
      entry.version++;
      for (const call of calls)
        expect(await sees(call, entry)).toMatchObject({ content: winners[0], version: entry.version });
    }
  });

  it('the same text stored everywhere at once is one memory', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const token = random.word();
      const input = { content: sentence(random, token), category: 'project', tags: [token] };
      const answers = await Promise.all([...calls, ...calls].map((call) => call('store_memory', input)));
      const ids = new Set(answers.map((answer) => String(outputOf(answer).memory_id)));
      expect([...ids], `seed ${random.seed}`).toHaveLength(1);
      const [memory_id = ''] = ids;
      entries.push({ memory_id, token, contents: [input.content], version: 1, deleted: false });
    }
  });

  it('of many that delete at once one does', async () => {
    const entry = await store();
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, i) =>
        calls[i % calls.length]?.('delete_memory', { memory_id: entry.memory_id }),
      ),
    );
    expect(codesOf(answers as Answer[])).toEqual(Array(AT_ONCE - 1).fill('not_found'));
    entry.deleted = true;
    entry.version++;
    for (const call of calls)
      expect(await call('retrieve_memory', { memory_id: entry.memory_id })).toMatchObject({
        failed: { code: 'not_found' },
      });
  });

  it('and the store tells the same', async () => {
    await checkAll(cluster, entries);
    await withClient(cluster.database_url, async (client) => {
      const { rows } = await client.query('select count(*)::int as effects from changes');
      expect(rows).toEqual([{ effects: entries.reduce((sum, { version }) => sum + version, 0) }]);
    });
  });
});
