// The format guide and the statistics of a session, also where the transport keeps no state.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, type CallerOptions, contextOf, DAY_MS, openApp } from '../../../test/support/open-app.ts';
import { openTemporaryDatabase } from '../../../test/support/temporary-database.ts';
import { virtualClock } from '../../kernel/clock.ts';
import { createSessions, type SessionTables } from '../identity/index.ts';
import { GUIDE } from './guide.ts';

let app: App;
beforeAll(async () => {
  app = await openApp();
});
afterAll(() => app[Symbol.asyncDispose]());

const agent = (session: string, more: CallerOptions = {}): CallerOptions => ({ session, transport: 'http', ...more });

describe('the guide', () => {
  test.each(['stdio', 'http', 'sse'] as const)('comes once, with the first memory call over %s', async (transport) => {
    const caller = { session: `first-${transport}`, transport };
    expect(await app.call('get_format_guide', {}, caller)).not.toHaveProperty('format_guide');
    expect(await app.call('list_deleted_memories', {}, caller)).not.toHaveProperty('format_guide');
    expect(await app.call('get_memory_stats', {}, caller)).toMatchObject({ format_guide: GUIDE });
    for (const operation of ['get_memory_stats', 'get_recent_memories', 'search_memories'])
      expect(await app.call(operation, {}, caller)).not.toHaveProperty('format_guide');
  });

  test.each(['rest', 'cli', 'internal'] as const)('does not come over %s', async (transport) => {
    expect(await app.call('get_memory_stats', {}, { session: 'plain', transport })).not.toHaveProperty('format_guide');
  });

  test('is in the text of that answer as well', async () => {
    expect(await app.text('get_memory_stats', {}, agent('text'))).toContain(GUIDE);
    expect(await app.text('get_memory_stats', {}, agent('text'))).not.toContain(GUIDE);
  });

  test('comes to one of many calls that start together', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => app.call('get_memory_stats', {}, agent('race'))),
    );
    expect(answers.filter((answer) => 'format_guide' in answer)).toHaveLength(1);
  });

  test('waits for a call that succeeds', async () => {
    await app.refusal('retrieve_memory', { memory_id: 'mem_none' }, agent('failing'));
    expect(await app.call('get_memory_stats', {}, agent('failing'))).toHaveProperty('format_guide');
  });

  test('comes once per session key, also after a restart and from another process', async () => {
    const data_dir = app.data_dir;
    expect(await app.call('get_memory_stats', {}, agent('key-a'))).toHaveProperty('format_guide');
    expect(await app.call('get_memory_stats', {}, agent('key-b'))).toHaveProperty('format_guide');
    await using other = await openApp({ data_dir });
    expect(await other.call('get_memory_stats', {}, agent('key-a'))).not.toHaveProperty('format_guide');
    expect(await other.call('get_memory_stats', {}, agent('key-c'))).toHaveProperty('format_guide');
    expect(await app.call('get_memory_stats', {}, agent('key-c'))).not.toHaveProperty('format_guide');
  });
});

test('a session without a name or a connection begins anew after half an hour of silence, and no other does', async () => {
  const clock = virtualClock();
  const store = await openTemporaryDatabase({ clock });
  const ctx = (session: string, derived: boolean) => {
    const context = contextOf('m', { session, transport: 'http' });
    return { ...context, session: { ...context.session, derived } };
  };
  for (const restart of [false, true]) {
    let sessions = createSessions(store.withTables<SessionTables>());
    const claims = () => Promise.all([true, false].map((d) => sessions.claimGuide(ctx(`${restart} ${d}`, d))));
    const again = async (minutes: number) => {
      clock.advance(minutes * 60_000);
      if (restart) sessions = createSessions(store.withTables<SessionTables>());
      return claims();
    };
    expect(await claims()).toEqual([true, true]);
    expect(await again(29)).toEqual([false, false]);
    expect(await again(29)).toEqual([false, false]);
    expect(await again(31)).toEqual([true, false]);
    expect(await again(1)).toEqual([false, false]);
  }
  await store.close();
});

describe('get_memory_access_stats', () => {
  test('says what this session called, how often it failed and when', async () => {
    const caller = agent('counted');
    await app.call('get_memory_stats', {}, caller);
    app.clock.advance(5_000);
    await app.call('get_memory_stats', {}, caller);
    await app.refusal('retrieve_memory', { memory_id: 'mem_none' }, caller);
    const stats = await app.call('get_memory_access_stats', {}, caller);
    expect(stats).toMatchObject({ session: 'counted', total_calls: 3 });
    expect(stats.format_guide_sent_at).toBe(stats.started_at);
    const at = (ms: number) => new Date(Date.parse(stats.started_at) + ms).toISOString();
    expect(stats.tools).toEqual([
      { tool: 'get_memory_stats', calls: 2, failures: 0, first_at: at(0), last_at: at(5_000) },
      { tool: 'retrieve_memory', calls: 1, failures: 1, first_at: at(5_000), last_at: at(5_000) },
    ]);
    expect(await app.call('get_memory_access_stats', {}, caller)).toMatchObject({ total_calls: 4 });
    expect(await app.call('get_memory_access_stats', {}, agent('another'))).toMatchObject({
      total_calls: 0,
      tools: [],
    });
  });
});

describe('get_format_guide', () => {
  test('explains the symbols and judges a text', async () => {
    const plain = await app.call('get_format_guide');
    expect(plain.symbols.map((entry: { symbol: string }) => entry.symbol)).toEqual(['→', '|', '?', '!', '::']);
    expect(plain).toMatchObject({ text_format: null, suggestion: null });
    expect(await app.call('get_format_guide', { text: 'a → b; c::string' })).toMatchObject({ text_format: 'v2' });
  });
});

test('sessions not seen for a month are forgotten; counts that were not saved are saved on closing', async () => {
  const clock = virtualClock();
  const store = await openTemporaryDatabase({ clock });
  const sessions = createSessions(store.withTables<SessionTables>());
  const ctx = (session: string) => contextOf('m', { session });
  sessions.note(ctx('old'), 'store_memory', false);
  await sessions.flush();
  clock.advance(20 * DAY_MS);
  sessions.note(ctx('new'), 'store_memory', true);
  await sessions.flush();
  clock.advance(11 * DAY_MS);
  expect(await sessions.prune()).toBe(1);
  expect((await sessions.state(ctx('old'))).calls).toEqual([]);
  expect((await sessions.state(ctx('new'))).calls).toMatchObject([{ calls: 1, failures: 1 }]);
  await store.close();
});
