import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fixedKeyRing } from '../../test/support/fixed-keyring.ts';
import { systemClock, virtualClock } from '../kernel/clock.ts';
import { createInProcessCoordination } from '../storage/coordination/in-process.ts';
import type { Coordination } from '../storage/coordination/port.ts';
import { createRelay } from './relay.ts';
import { createRelaySeal } from './relay-seal.ts';

let bus: Coordination;
beforeEach(() => {
  const leases = { acquire: async () => undefined };
  bus = createInProcessCoordination({ leases, clock: systemClock, member_id: 'bus' });
});
afterEach(() => bus[Symbol.asyncDispose]());

const keyring = fixedKeyRing();
const clock = virtualClock();
const join = (member_id: string, keys = keyring) => createRelay({ ...bus, member_id }, createRelaySeal(keys, clock));

describe('createRelay', () => {
  it('tells the others, not itself, and stops when asked', async () => {
    const [a, b] = [join('a'), join('b')];
    const heard: unknown[] = [];
    a.subscribe('news', (message) => heard.push(['a', message]));
    const stop = b.subscribe('news', (message) => heard.push(['b', message]));
    await a.publish('news', { of: 'a', nothing: null });
    await a.publish('olds', 'unheard');
    stop();
    await a.publish('news', 'late');
    expect(heard).toEqual([['b', { of: 'a', nothing: null }]]);
  });

  it.each(['', 'no json', '{}', '[]', '{"from":1}', '{"from":"x"}'])(
    'bears what is no message of ours: %j',
    async (text) => {
      const [a, b] = [join('a'), join('b')];
      const heard: unknown[] = [];
      a.subscribe('news', (message) => heard.push(message));
      a.answer('question', async () => heard.push('asked'));
      for (const channel of ['news', 'question?', 'relay:answers']) await bus.publish(channel, text);
      await b.publish('question?', { no: 'question' });
      expect(heard.filter((message) => message !== undefined)).toEqual([]);
    },
  );

  it('brings the answer of the one that answers to the one that asks', async () => {
    const [a, b, c] = [join('a'), join('b'), join('c')];
    a.answer('who', async () => 'self');
    b.answer('who', (question) => (question === 'b?' ? Promise.resolve({ it: 'is b' }) : undefined));
    c.answer('who', (question) => (question === 'c?' ? Promise.resolve('c') : undefined));
    expect(await Promise.all([a.ask('who', 'b?', 5_000), a.ask('who', 'c?', 5_000)])).toEqual([{ it: 'is b' }, 'c']);
  });

  it('lets nobody in between read a question, ask one, or ask it again', async () => {
    const [a, b] = [join('a'), join('b')];
    const heard: unknown[] = [];
    b.answer('who', async (question) => heard.push(question));
    const seen: string[] = [];
    bus.subscribe('who?', (text) => seen.push(text));
    expect(await a.ask('who', { secret: 'made-up-value' }, 5_000)).toBe(1);
    expect(seen).toHaveLength(1);
    expect(seen.join('')).not.toContain('made-up-value');
    const [text = ''] = seen;
    const { value } = JSON.parse(text) as { value: { ask_id: string; value: { key_id: string; sealed: string } } };
    const { ask_id, value: sealed } = value;
    for (const forged of [
      { secret: 'forged' },
      sealed,
      { ...sealed, sealed: sealed.sealed.replace(/.{8}$/, 'AAAAAAA=') },
    ])
      await bus.publish('who?', JSON.stringify({ from: 'x', value: { ask_id, value: forged } }));
    await bus.publish('other?', text);
    expect(await join('stranger', fixedKeyRing()).ask('who', 'forged', 1)).toBeUndefined();
    // What was sealed in time and arrives late is not taken either.
    const late = await createRelaySeal(keyring, clock).seal('who', 'late');
    clock.advance(61_000);
    await bus.publish('who?', JSON.stringify({ from: 'x', value: { ask_id, value: late } }));
    expect(await a.ask('who', 'last', 5_000)).toBe(2);
    expect(heard).toEqual([{ secret: 'made-up-value' }, 'last']);
  });

  it('ends waiting where nobody answers, or answering fails', async () => {
    const [a, b] = [join('a'), join('b')];
    b.answer('broken', () => Promise.reject(new Error('no')));
    expect(await a.ask('nobody', 1, 1)).toBeUndefined();
    expect(await a.ask('broken', 1, 1)).toBeUndefined();
  });
});
