// The choice of an agent: never one that cannot do it or is away, never worse for less load, the same for everybody.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../kernel/limits.ts';
import { type Contender, rankContenders } from './delegation-rank.ts';

const capability = fc.constantFrom('elasticsearch_ops', 'database_ops', 'monitoring', 'deployment');
const someCapabilities = fc.uniqueArray(capability, { maxLength: 4 });
const contenders = fc.uniqueArray(
  fc.record({
    agent_id: fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/),
    capabilities: someCapabilities,
    silent_ms: fc.integer({ min: 0, max: 2 * limits.agent_presence_ttl_ms }),
    load: fc.nat({ max: 20 }),
    done: fc.nat({ max: 50 }),
    failed: fc.nat({ max: 50 }),
  }),
  { selector: ({ agent_id }) => agent_id, maxLength: 12 },
);

const placeOf = (all: readonly Contender[], needed: readonly string[], agent_id: string) =>
  rankContenders(all, needed).findIndex((ranked) => ranked.agent_id === agent_id);

test('only who can do it and is there has a score, and stands before everybody else', () => {
  fc.assert(
    fc.property(contenders, someCapabilities, (all, needed) => {
      const order = rankContenders(all, needed);
      expect(order.map(({ agent_id }) => agent_id).toSorted()).toEqual(all.map(({ agent_id }) => agent_id).toSorted());
      const byId = new Map(all.map((contender) => [contender.agent_id, contender]));
      for (const { agent_id, score } of order) {
        const { capabilities, silent_ms } = byId.get(agent_id)!;
        const able = needed.every((need) => capabilities.includes(need)) && silent_ms <= limits.agent_presence_ttl_ms;
        expect(score !== null).toBe(able);
        if (score !== null) expect(score).toBeGreaterThan(0);
        if (score !== null) expect(score).toBeLessThanOrEqual(1);
      }
      const scores = order.map(({ score }) => score ?? -1);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }),
  );
});

test.each([
  ['less load', (one: Contender) => ({ ...one, load: Math.max(0, one.load - 1) })],
  ['one more success', (one: Contender) => ({ ...one, done: one.done + 1 })],
  ['one failure less', (one: Contender) => ({ ...one, failed: Math.max(0, one.failed - 1) })],
  ['having been heard of later', (one: Contender) => ({ ...one, silent_ms: Math.floor(one.silent_ms / 2) })],
])('%s never makes an agent come later', (_what, better) => {
  fc.assert(
    fc.property(contenders, someCapabilities, fc.nat(), (all, needed, pick) => {
      const chosen = all[pick % Math.max(1, all.length)];
      if (!chosen) return;
      const changed = all.map((one) => (one === chosen ? better(one) : one));
      expect(placeOf(changed, needed, chosen.agent_id)).toBeLessThanOrEqual(placeOf(all, needed, chosen.agent_id));
    }),
  );
});

test('the order does not depend on the order in which agents are looked at', () => {
  fc.assert(
    fc.property(contenders, someCapabilities, (all, needed) => {
      expect(rankContenders(all.toReversed(), needed)).toEqual(rankContenders(all, needed));
    }),
  );
});

test('of equals the one with less work, then the one that did such work well', () => {
  const base = { capabilities: ['monitoring'], silent_ms: 0, load: 0, done: 0, failed: 0 };
  const best = (...all: Contender[]) => rankContenders(all, ['monitoring'])[0]?.agent_id;
  expect(best({ ...base, agent_id: 'busy', load: 3 }, { ...base, agent_id: 'free' })).toBe('free');
  expect(best({ ...base, agent_id: 'new' }, { ...base, agent_id: 'proven', done: 5 })).toBe('proven');
  expect(best({ ...base, agent_id: 'clumsy', failed: 5 }, { ...base, agent_id: 'new' })).toBe('new');
  expect(best({ ...base, agent_id: 'b' }, { ...base, agent_id: 'a' })).toBe('a');
});
