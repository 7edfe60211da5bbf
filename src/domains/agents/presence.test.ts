// Who is there: by calls, over time, in one process and another.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openApp } from '../../../test/support/open-app.ts';
import { limits } from '../../kernel/limits.ts';
import { statusOf } from './presence.ts';

const { agent_active_ms, agent_presence_ttl_ms } = limits;

test('a status is of the silence and of what is held, and only gets worse with time', () => {
  const order = { active: 0, idle: 1, offline: 2 };
  const silence = fc.integer({ min: 0, max: 3 * agent_presence_ttl_ms });
  fc.assert(
    fc.property(silence, silence, fc.nat({ max: 3 }), (a, b, held) => {
      const [sooner, later] = a < b ? [a, b] : [b, a];
      expect(order[statusOf(0, held, sooner)]).toBeLessThanOrEqual(order[statusOf(0, held, later)]);
      expect(order[statusOf(0, held + 1, a)]).toBeLessThanOrEqual(order[statusOf(0, held, a)]);
      expect(statusOf(0, held, a) === 'offline').toBe(a > agent_presence_ttl_ms);
      expect(statusOf(0, 0, a) === 'active').toBe(a <= agent_active_ms);
    }),
  );
});

test('whatever agents do when, the roster says who called last how long ago', async () => {
  await using app = await openApp();
  const viewer = { user: 'ada', session: 'ses_viewer', agent: 'viewer' };
  const names = ['one', 'two', 'three'] as const;
  const caller = (name: string) => ({ user: 'ada', session: `ses_${name}`, agent: name });
  const seen = new Map<string, number>();
  for (const name of names) {
    const { agent_id } = await app.call('register_agent', { role: name }, caller(name));
    expect(agent_id).toBe(`test-machine-${name}`);
    seen.set(name, app.clock.now());
  }
  const step = fc.record({
    wait_ms: fc.integer({ min: 0, max: 1.2 * agent_presence_ttl_ms }),
    who: fc.constantFrom(...names),
    refused: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      for (const { wait_ms, who, refused } of steps) {
        app.clock.advance(wait_ms);
        // A call that fails is a sign of life, too.
        if (refused) await app.refusal('retrieve_memory', { memory_id: 'mem_none' }, caller(who));
        else await app.call('get_mode', {}, caller(who));
        seen.set(who, app.clock.now());
        const { agents, counts } = await app.call('get_agent_roster', {}, viewer);
        const expected = names.map((name) => {
          const last_ms = seen.get(name) ?? 0;
          const silent_ms = app.clock.now() - last_ms;
          const status =
            silent_ms > agent_presence_ttl_ms ? 'offline' : silent_ms > agent_active_ms ? 'idle' : 'active';
          return { role: name, status, last_seen_at: new Date(last_ms).toISOString() };
        });
        const shown = agents.map(({ role, status, last_seen_at }: (typeof expected)[number]) => ({
          ...{ role, status, last_seen_at },
        }));
        expect(shown).toHaveLength(names.length);
        expect(shown).toEqual(expect.arrayContaining(expected));
        const ranks = shown.map(({ status }: { status: string }) => ['active', 'idle', 'offline'].indexOf(status));
        expect(ranks).toEqual(ranks.toSorted());
        for (const status of ['active', 'idle', 'offline'])
          expect(counts[status]).toBe(expected.filter((entry) => entry.status === status).length);
      }
    }),
    { numRuns: 12 },
  );
});

describe('heartbeats are written behind', () => {
  test('not by each call, but before the process ends', async () => {
    await using app = await openApp();
    const me = { user: 'ada', session: 'ses_a', agent: 'coder' };
    const { agent_id } = await app.call('register_agent', { role: 'coder' }, me);
    const lastSeen = async (from = app) =>
      (await from.rows('select last_seen_at, last_call from agent_presence where agent_id = ?', agent_id))[0];
    const registered = await lastSeen();
    app.clock.advance(1_000);
    {
      await using other = await openApp({ data_dir: app.data_dir, clock: app.clock });
      await other.call('get_mode', {}, me);
      expect(await lastSeen()).toEqual(registered);
    }
    expect(await lastSeen()).toEqual({
      last_seen_at: new Date(app.clock.now()).toISOString(),
      last_call: 'get_mode',
    });
  });

  test('what another process noted earlier does not undo what this one wrote', async () => {
    await using app = await openApp();
    await using other = await openApp({ data_dir: app.data_dir, clock: app.clock });
    const me = { user: 'ada', session: 'ses_a', agent: 'coder' };
    await app.call('register_agent', { role: 'coder' }, me);
    await other.call('get_mode', {}, me);
    app.clock.advance(60_000);
    await app.call('get_mode', {}, { ...me, session: 'ses_b' });
    await app.call('get_agent_roster', {}, { user: 'ada', session: 'ses_v', agent: 'viewer' });
    const { agents } = await other.call('get_agent_roster', {}, { user: 'ada', session: 'ses_v', agent: 'viewer' });
    expect(agents[0].last_seen_at).toBe(new Date(app.clock.now()).toISOString());
  });
});

test('any call of the session that holds a claim renews it; silence ends it', async () => {
  await using app = await openApp();
  const me = { user: 'ada', session: 'ses_a', agent: 'coder', transport: 'http' } as const;
  const viewer = { user: 'ada', session: 'ses_v', agent: 'viewer' };
  const { agent_id } = await app.call('register_agent', { role: 'coder' }, me);
  const { task } = await app.call('create_kanban_task', { title: 'Sweep the pier' }, me);
  await app.call('claim_next', { task_id: task.task_id, lease_seconds: 120 }, me);
  const mine = async () => (await app.call('get_agent_roster', {}, viewer)).agents[0];
  for (let i = 0; i < 4; i++) {
    app.clock.advance(90_000);
    await app.call('get_mode', {}, me);
    expect(await mine()).toMatchObject({ agent_id, status: 'active', current_task: { task_id: task.task_id } });
  }
  // A restarted agent is told what it holds.
  const again = await app.call('register_agent', { role: 'coder' }, { ...me, session: 'ses_b' });
  expect(again.tasks).toMatchObject([{ task_id: task.task_id, held: true }]);
  app.clock.advance(121_000);
  expect(await mine()).toMatchObject({ load: { held: 0 }, current_task: null, status: 'idle' });
});
