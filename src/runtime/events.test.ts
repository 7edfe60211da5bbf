// Following what changes: nothing is missed, nothing is told to whom it is not for, and a follower goes on where it was.
import { expect, test } from 'vitest';
import { type App, openApp } from '../../test/support/open-app.ts';
import type { Principal } from '../kernel/operation.ts';
import type { EventFilter, StoreEvent } from '../surfaces/runtime.ts';

const principal = (user_id: string): Principal => ({ user_id, agent_id: 'tester', machine_id: 'test-machine' });

type How = Omit<EventFilter, 'signal'>;

/** Follows, and hands out what came so far. */
async function follow(app: App, user: string, how: How = {}) {
  const gone = new AbortController();
  const events = await app.runtime.followEvents(principal(user), { ...how, signal: gone.signal });
  const seen: StoreEvent[] = [];
  const ended = (async () => {
    for await (const event of events) seen.push(event);
  })();
  return {
    seen,
    async until(count: number): Promise<StoreEvent[]> {
      await expect.poll(() => seen.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(count);
      return seen;
    },
    async [Symbol.asyncDispose]() {
      gone.abort();
      await ended;
    },
  };
}

const ids = (events: readonly StoreEvent[]) => events.map(({ data }) => data.memory_id);

test('a follower hears of each change from then on, and can go on from any of them', async () => {
  await using app = await openApp();
  await app.store('before anybody listened');
  await using first = await follow(app, 'ada');
  const one = await app.store('first', { tags: ['discovery'] });
  await first.until(1);
  const two = await app.store('second');
  const three = await app.store('third');
  const seen = await first.until(3);
  expect(ids(seen)).toEqual([one, two, three]);
  expect(seen[0]).toMatchObject({
    event: 'memory',
    data: { category: 'global', tags: ['discovery'], version: 1, deleted: false, agent_id: 'tester' },
  });
  await using again = await follow(app, 'ada', { after: seen[0]?.id });
  expect(await again.until(2)).toEqual(seen.slice(1));
});

test('a record that changed several times is told as it is now, once', async () => {
  await using app = await openApp();
  await app.store('the beginning');
  await using start = await follow(app, 'ada');
  const mark = await app.store('a mark');
  const [{ id: after } = { id: '' }] = await start.until(1);
  const memory_id = await app.store('it changes');
  for (const tag of ['a', 'b', 'c']) await app.call('update_memory', { memory_id, tags: [tag] });
  await app.call('delete_memory', { memory_id: mark });
  await using later = await follow(app, 'ada', { after });
  const events = await later.until(2);
  expect(events.map(({ data }) => [data.memory_id, data.version, data.deleted])).toEqual([
    [memory_id, 4, false],
    [mark, 2, true],
  ]);
});

test('nobody hears of what they may not see, and of kinds they did not ask for', async () => {
  await using app = await openApp();
  await using bob = await follow(app, 'bob');
  await using tasks = await follow(app, 'ada', { kinds: ['task'] });
  await app.store('a secret of ada', { scope: 'solo' });
  const shared = await app.store('for everybody', { scope: 'shared' });
  expect(ids(await bob.until(1))).toEqual([shared]);
  expect(tasks.seen).toEqual([]);
});

test('an id of no event is refused before anything is followed', async () => {
  await using app = await openApp();
  const signal = AbortSignal.abort();
  for (const after of [
    'x',
    '',
    Buffer.from('[1]').toString('base64url'),
    Buffer.from('{"a":-1}').toString('base64url'),
  ])
    await expect(app.runtime.followEvents(principal('ada'), { after, signal })).rejects.toMatchObject({
      code: 'invalid_input',
    });
});
