// The connection that comes back by itself: pauses that grow, failures while opening, answers that do not come.
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { defaultTiming, type Link, LinkAwayError, NoAnswerError, openLink, retryPause } from './link.ts';

const timing = { ...defaultTiming, retry_min_ms: 1, retry_max_ms: 5 };
const ping = async () => {};

test('pauses grow up to their maximum and are never twice the same for all', () => {
  fc.assert(
    fc.property(fc.nat(2_000), (failures) => {
      const bounds = { retry_min_ms: 200, retry_max_ms: 10_000 };
      const pause = retryPause(bounds, failures);
      const full = Math.min(10_000, 200 * 2 ** Math.min(failures, 20));
      expect(pause).toBeGreaterThanOrEqual(full / 2);
      expect(pause).toBeLessThanOrEqual(full);
    }),
  );
});

test('tries again for as long as it takes; work that came up meanwhile is done before anybody uses it', async () => {
  let attempts = 0;
  const done: string[] = [];
  const todo = ['first', 'second'];
  const link = await openLink<{ id: number }>({
    timing,
    ping,
    create: () => ({ id: ++attempts }),
    prepare: async ({ id }) => {
      if (id < 5) throw new Error(`attempt ${id}`);
    },
    remaining() {
      const next = todo.shift();
      return next === undefined ? undefined : Promise.resolve().then(() => void done.push(next));
    },
    destroy: () => {},
  });
  expect(link.connection).toBeUndefined();
  await expect(link.use(async () => 1)).rejects.toBeInstanceOf(LinkAwayError);
  await vi.waitFor(() => expect(link.connection).toEqual({ id: 5 }), 10_000);
  expect(done).toEqual(['first', 'second']);
  expect(link.cause).toBeUndefined();
  link.close();
});

test('an answer that does not come costs the connection; one that was lost is replaced once', async () => {
  const destroyed: number[] = [];
  const down: unknown[] = [];
  let made = 0;
  let lose: (cause: unknown) => void = () => {};
  const link: Link<number> = await openLink<number>({
    timing: { ...timing, command_timeout_ms: 5 },
    ping,
    create: (lost) => {
      lose = lost;
      return ++made;
    },
    prepare: async () => {},
    destroy: (connection) => void destroyed.push(connection),
    onDown: (cause) => void down.push(cause),
  });
  await expect(link.use(() => new Promise(() => {}))).rejects.toBeInstanceOf(NoAnswerError);
  expect(destroyed).toEqual([1]);
  await vi.waitFor(() => expect(link.connection).toBe(2), 10_000);
  const cause = new Error('reset');
  lose(cause);
  lose(cause);
  expect(down).toEqual([expect.any(NoAnswerError), cause]);
  await vi.waitFor(() => expect(link.connection).toBe(3), 10_000);
  await expect(link.use(async () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  expect(link.connection).toBe(3);
  link.close();
  expect(destroyed).toEqual([1, 2, 3]);
  expect(down).toHaveLength(2);
});

test('a connection that dies while it is prepared is never used', async () => {
  let made = 0;
  const link = await openLink<number>({
    timing,
    ping,
    create(lost) {
      made++;
      if (made === 1) queueMicrotask(() => lost(new Error('died early')));
      return made;
    },
    prepare: () => new Promise((resolve) => setImmediate(resolve)),
    destroy: () => {},
  });
  expect(link.connection).toBeUndefined();
  expect(link.cause).toEqual(new Error('died early'));
  await vi.waitFor(() => expect(link.connection).toBe(2), 10_000);
  link.close();
});

test('a connection that dies in silence is noticed by its ping', async () => {
  let made = 0;
  const link = await openLink<number>({
    timing: { ...timing, command_timeout_ms: 5, ping_interval_ms: 5 },
    create: () => ++made,
    prepare: async () => {},
    ping: (connection) => (connection === 1 ? new Promise(() => {}) : Promise.reject(new Error('refused'))),
    destroy: () => {},
  });
  await vi.waitFor(() => expect(link.connection).toBe(2), 10_000);
  link.close();
});
