// An index without entries is told from one in which nothing is near, without a question for every search.
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../kernel/clock.ts';
import { failure } from '../../../kernel/errors.ts';
import { createEmptiness } from './served-empty.ts';

function make(state: { count: number | undefined; has: boolean; away?: boolean }) {
  const clock = virtualClock();
  const told: string[] = [];
  let asked = 0;
  const emptiness = createEmptiness({
    clock,
    place: 'the test',
    hasVectors: async () => state.has,
    count: async () => {
      asked++;
      if (state.away) throw failure('unavailable', 'It cannot be reached.', 'Start it.');
      return state.count;
    },
    onChange: (error) => told.push(error === undefined ? 'filled' : 'empty'),
  });
  return { clock, told, emptiness, asked: () => asked };
}

describe('an index that named nothing', () => {
  it('is in trouble where it is empty, until it has entries', async () => {
    const state = { count: 0, has: true };
    const { clock, told, emptiness, asked } = make(state);
    const empty = { code: 'unavailable', hint: expect.stringContaining('haivemind reindex') };
    await expect(emptiness.expectEntries()).rejects.toMatchObject(empty);
    await expect(emptiness.expectEntries()).rejects.toMatchObject(empty);
    expect([emptiness.trouble(), asked(), told]).toMatchObject([empty, 1, ['empty']]);
    state.count = 1;
    clock.advance(60_000);
    await emptiness.expectEntries();
    expect([emptiness.trouble(), told]).toEqual([undefined, ['empty', 'filled']]);
  });

  it('is asked anew at once where somebody looks after it was empty, and not where it was not', async () => {
    const state = { count: 0, has: true };
    const { emptiness, asked } = make(state);
    await emptiness.look();
    expect(emptiness.trouble()).toBeDefined();
    state.count = 5;
    await emptiness.look();
    expect(emptiness.trouble()).toBeUndefined();
    await emptiness.look();
    expect(asked()).toBe(2);
  });

  it('is right where it has entries, too many to count, or nothing to have', async () => {
    for (const state of [
      { count: 3, has: true },
      { count: undefined, has: true },
      { count: 0, has: false },
    ]) {
      const { clock, emptiness, asked } = make(state);
      await emptiness.expectEntries();
      await emptiness.expectEntries();
      expect(emptiness.trouble()).toBeUndefined();
      expect(asked()).toBeLessThanOrEqual(1);
      clock.advance(60_000);
      await emptiness.expectEntries();
    }
  });

  it('is not called empty because it does not answer', async () => {
    const state = { count: 0, has: true, away: true };
    const { emptiness, told } = make(state);
    await expect(emptiness.expectEntries()).rejects.toMatchObject({ message: 'It cannot be reached.' });
    await emptiness.look();
    expect([emptiness.trouble(), told]).toEqual([undefined, []]);
    state.away = false;
    await expect(emptiness.expectEntries()).rejects.toMatchObject({ message: expect.stringContaining('is empty') });
  });

  it('has entries as soon as it names one', async () => {
    const { emptiness, told } = make({ count: 0, has: true });
    await emptiness.look();
    emptiness.filled();
    expect([emptiness.trouble(), told]).toEqual([undefined, ['empty', 'filled']]);
  });
});
