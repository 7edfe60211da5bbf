import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTemporaryDatabase } from '../../test/support/temporary-database.ts';
import { virtualClock } from '../kernel/clock.ts';
import { limits } from '../kernel/limits.ts';
import type { Database } from '../storage/database.ts';
import type { McpSessionState } from '../surfaces/runtime.ts';
import { createMcpSessionStore, type StoredMcpSessions } from './mcp-sessions.ts';

const state: McpSessionState = {
  kind: 'streamable',
  initialize: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
  toolsets: ['memory'],
  subscriptions: [],
};

let clock: ReturnType<typeof virtualClock>;
let database: Database;
let sessions: StoredMcpSessions;

beforeEach(async () => {
  clock = virtualClock();
  database = await openTemporaryDatabase({ clock });
  sessions = createMcpSessionStore(database);
});
afterEach(() => database.close());

const add = (session_id: string, owner = 'ann'): Promise<void> => sessions.create({ session_id, owner, state });

describe('createMcpSessionStore', () => {
  it('gives back what was kept', async () => {
    await add('one');
    expect(await sessions.load('one')).toEqual({
      session_id: 'one',
      owner: 'ann',
      state,
      last_seen_at_ms: clock.now(),
    });
    expect(await sessions.load('two')).toBeUndefined();
  });

  it('forgets a removed one', async () => {
    await add('one');
    await sessions.remove('one');
    await sessions.remove('one');
    expect(await sessions.load('one')).toBeUndefined();
    expect(await sessions.change('one', (now) => now)).toBe(false);
  });

  it('loses none of many changes made at once', async () => {
    await add('one');
    const uris = Array.from({ length: 20 }, (_, index) => `haivemind://memory/${index}`);
    const other = createMcpSessionStore(database);
    await Promise.all(
      uris.map((uri, index) =>
        (index % 2 ? sessions : other).change('one', (now) => ({ ...now, subscriptions: [...now.subscriptions, uri] })),
      ),
    );
    expect(new Set((await sessions.load('one'))?.state.subscriptions)).toEqual(new Set(uris));
  });

  it('lets idle ones expire, but none that is in use', async () => {
    await add('idle');
    await add('used');
    clock.advance(limits.mcp_session_idle_ms - 1);
    expect(await sessions.touch(['used', 'unknown'])).toEqual(new Set(['used']));
    expect(await sessions.touch([])).toEqual(new Set());
    clock.advance(1);
    expect(await sessions.load('idle')).toBeUndefined();
    expect(await sessions.load('used')).toBeDefined();
    expect(await sessions.prune()).toBe(1);
    expect(await sessions.touch(['idle'])).toEqual(new Set());
  });

  it('keeps so many of one owner, the newest, and all of others', async () => {
    const surplus = 60;
    await add('other', 'bob');
    const count = limits.mcp_sessions_stored_max_count + surplus;
    const rows = Array.from({ length: count }, (_, index) => ({
      session_id: `old_${index}`,
      owner: 'ann',
      state: JSON.stringify({ form: 1, state }),
      version: 1,
      last_seen_at_ms: clock.now() + index,
    }));
    const tables = database.withTables<{ mcp_sessions: (typeof rows)[0] }>();
    for (let start = 0; start < count; start += 500)
      await tables.write((trx) =>
        trx
          .insertInto('mcp_sessions')
          .values(rows.slice(start, start + 500))
          .execute(),
      );
    clock.advance(count);
    // Counted at every fiftieth, and the one of another owner was the first.
    for (let index = 1; index < 50; index++) await add(`new_${index}`);
    const left = await tables.db.selectFrom('mcp_sessions').select('session_id').where('owner', '=', 'ann').execute();
    expect(left).toHaveLength(limits.mcp_sessions_stored_max_count);
    expect(await sessions.load('new_49')).toBeDefined();
    expect(await sessions.load('old_0')).toBeUndefined();
    expect(await sessions.load('other')).toBeDefined();
  });

  it('does not misread what another version of the program kept', async () => {
    await add('one');
    await database.withTables<{ mcp_sessions: { session_id: string; state: string } }>().write((trx) =>
      trx
        .updateTable('mcp_sessions')
        .set({ state: JSON.stringify({ form: 99, shape: 'other' }) })
        .execute(),
    );
    expect(await sessions.load('one')).toBeUndefined();
  });
});
