// What other domains and the schedules ask of agents.
import { expect, test } from 'vitest';
import { type App, openApp } from '../../../test/support/open-app.ts';
import { limits } from '../../kernel/limits.ts';
import { openDatabase } from '../../storage/index.ts';
import { prune } from './prune.ts';
import type { AgentTables } from './tables.ts';

const ADA = { user: 'ada', session: 'ses_ada', agent: 'claude-code' };

/** The store of an app, opened beside it. */
async function storeOf(app: App) {
  const { data_dir, machine_id, engines } = app.config;
  const { postgres } = engines;
  const database = await openDatabase({
    data_dir,
    machine_id,
    clock: app.clock,
    ...(postgres ? { postgres } : {}),
  } as never);
  return database.withTables<AgentTables>();
}

test('expired and long acknowledged messages are forgotten, and contexts of sessions long gone', async () => {
  await using app = await openApp();
  const { agent_id: to_agent_id } = await app.call('register_agent', { role: 'desk' }, ADA);
  const send = async (message: string, fields: object = {}): Promise<string> =>
    (await app.call('send_message', { to_agent_id, message, ...fields }, ADA)).message_id;
  const short = await send('short', { expires_in_minutes: 1 });
  const acknowledged = await send('acknowledged', { expires_in_minutes: 30 * 24 * 60 });
  const waiting = await send('waiting', { expires_in_minutes: 30 * 24 * 60 });
  await app.call('check_inbox', { acknowledge: [acknowledged] }, ADA);
  const store = await storeOf(app);
  const left = async () =>
    (await app.rows('select message_id from agent_messages order by message_id')).map((row) => row.message_id);
  try {
    expect(await prune({ store })).toBe(0);
    app.clock.advance(60_000);
    expect(await prune({ store })).toBe(1);
    expect(await left()).not.toContain(short);
    app.clock.advance(limits.agent_message_ttl_ms);
    expect(await prune({ store })).toBe(1);
    expect(await left()).toEqual([waiting]);
    app.clock.advance(limits.agent_session_retention_ms - limits.agent_message_ttl_ms - 60_000);
    // To the millisecond: what was used a month ago is still known.
    expect(await app.rows('select session_key from session_contexts')).toEqual([{ session_key: ADA.session }]);
    app.clock.advance(1);
    expect(await prune({ store })).toBe(2);
    expect(await app.rows('select session_key from session_contexts')).toEqual([]);
  } finally {
    await store.close();
  }
});

test('the roster is filtered and paged, whatever comes and goes', async () => {
  await using app = await openApp();
  const names = Array.from({ length: 7 }, (_, i) => `agent${i}`);
  for (const [i, role] of names.entries()) {
    const capabilities = i % 2 ? ['odd', 'all'] : ['even', 'all'];
    await app.call(
      'register_agent',
      { role, capabilities, machine: i < 3 ? 'left' : 'right' },
      {
        ...ADA,
        session: `ses_${role}`,
        agent: role,
      },
    );
    app.clock.advance(30_000);
  }
  const roster = (query: object) => app.call('get_agent_roster', query, { ...ADA, session: 'v', agent: 'viewer' });
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await roster({ limit: 2, ...(cursor === null ? {} : { cursor }) });
    seen.push(...page.agents.map(({ role }: { role: string }) => role));
    expect(page.counts).toEqual({ active: 2, idle: 5, offline: 0 });
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(seen).toEqual(['agent5', 'agent6', 'agent0', 'agent1', 'agent2', 'agent3', 'agent4']);
  const roles = async (query: object) => (await roster(query)).agents.map(({ role }: { role: string }) => role);
  expect(await roles({ capability: 'Odd' })).toEqual(['agent5', 'agent1', 'agent3']);
  expect(await roles({ machine: 'left' })).toEqual(['agent0', 'agent1', 'agent2']);
  expect(await roles({ role: 'agent4', status: 'idle' })).toEqual(['agent4']);
  expect(await roles({ status: 'offline' })).toEqual([]);
  expect(await roles({ capability: 'none' })).toEqual([]);
});
