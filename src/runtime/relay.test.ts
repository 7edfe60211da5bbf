import { afterEach, beforeEach, describe, expect, it } from 'vitest';
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

const clock = virtualClock();
const join = (member_id: string, store_key = 'of the store') =>
  createRelay({ ...bus, member_id }, createRelaySeal(store_key, clock));
const to = ({ public_key }: { public_key: string }, timeout_ms = 5_000) => ({ public_key, timeout_ms });

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

  it('brings the answer of the one that is asked', async () => {
    const [a, b, c] = [join('a'), join('b'), join('c')];
    a.answer('who', async () => 'self');
    b.answer('who', (question) => (question === 'who are you?' ? Promise.resolve({ it: 'is b' }) : undefined));
    c.answer('who', async () => 'c');
    expect(await Promise.all([a.ask('who', 'who are you?', to(b)), a.ask('who', 1, to(c))])).toEqual([
      { it: 'is b' },
      'c',
    ]);
  });

  it('lets nobody in between read a question, ask one, or ask it again', async () => {
    const [a, b] = [join('a'), join('b')];
    const heard: unknown[] = [];
    b.answer('who', async (question) => heard.push(question));
    const seen: string[] = [];
    bus.subscribe('who?', (text) => seen.push(text));
    expect(await a.ask('who', { secret: 'made-up-value' }, to(b))).toBe(1);
    expect(seen).toHaveLength(1);
    expect(seen.join('')).not.toContain('made-up-value');
    const [text = ''] = seen;
    const { value } = JSON.parse(text) as { value: { ask_id: string; value: { from: string; sealed: string } } };
    const { ask_id, value: sealed } = value;
    const altered = { ...sealed, sealed: sealed.sealed.replace(/.{8}$/, 'AAAAAAA=') };
    const late = createRelaySeal('of the store', clock).seal('who', 'late', b.public_key);
    for (const forged of [{ secret: 'forged' }, sealed, altered, { ...sealed, from: 'nonsense' }])
      await bus.publish('who?', JSON.stringify({ from: 'x', value: { ask_id, value: forged } }));
    // Who knows the hub but not the store, who takes a question to another channel, and who brings one too late.
    expect(await join('stranger', 'of another store').ask('who', 'forged', to(b, 1))).toBeUndefined();
    b.answer('other', async (question) => heard.push(question));
    await bus.publish('other?', text);
    clock.advance(61_000);
    await bus.publish('who?', JSON.stringify({ from: 'x', value: { ask_id, value: late } }));
    expect(await a.ask('who', 'last', to(b))).toBe(2);
    expect(heard).toEqual([{ secret: 'made-up-value' }, 'last']);
  });

  it('ends waiting where nobody answers, or answering fails', async () => {
    const [a, b] = [join('a'), join('b')];
    b.answer('broken', () => Promise.reject(new Error('no')));
    expect(await a.ask('nobody', 1, to(b, 1))).toBeUndefined();
    expect(await a.ask('broken', 1, to(b, 1))).toBeUndefined();
  });
});
