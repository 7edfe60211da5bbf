// Events through PostgreSQL: large messages, a server that restarts, a wire that is cut or hangs.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { freshDatabase, type PostgresServer, startPostgres } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { type LeaseRoom, openLeaseRoom, openWire, quick } from '../../../test/support/coordination.ts';
import type { Coordination, CoordinationStatus } from './port.ts';
import { createNotifyCoordination, type NotifyOptions } from './postgres-notify.ts';

const WAIT = { timeout: 20_000, interval: 10 };

describeEngine('postgres', () => {
  let server: PostgresServer;
  let url: string;
  let room: LeaseRoom;
  const cleanup: AsyncDisposable[] = [];
  beforeAll(async () => {
    server = await startPostgres();
    url = (await freshDatabase(server.url)).url;
    // The fallbacks keep to a file, so that this test may restart PostgreSQL; its tables are made by opening it once.
    await using _tables = await openLeaseRoom(url);
    room = await openLeaseRoom();
  });
  afterEach(async () => {
    for (const one of cleanup.splice(0).reverse()) await one[Symbol.asyncDispose]();
  });
  afterAll(async () => {
    await room[Symbol.asyncDispose]();
    await server.stop();
  });

  async function open(options: Partial<NotifyOptions> = {}) {
    const member_id = randomUUID();
    const changes: CoordinationStatus[] = [];
    const coordination = await createNotifyCoordination({
      postgres: { url },
      fallback: room.member(member_id),
      member_id,
      timing: quick,
      onStateChange: (status) => changes.push(status),
      ...options,
    });
    let gaps = 0;
    coordination.onGap(() => gaps++);
    cleanup.push(coordination);
    return Object.assign(coordination, { changes, gaps: () => gaps });
  }
  const viaPort = (port: number): string => {
    const through = new URL(url);
    through.port = String(port);
    return through.href;
  };
  const untilState = (coordination: Coordination, state: 'ok' | 'degraded') =>
    vi.waitFor(async () => expect((await coordination.status()).state).toBe(state), WAIT);
  async function ask<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  }

  test('messages too large for a notice go through the table, and leave it after a minute', async () => {
    const [a, b] = [await open(), await open()];
    const got: string[] = [];
    b.subscribe('large', (message) => got.push(message));
    const large = 'x'.repeat(200_000);
    await a.publish('large', 'small');
    await a.publish('large', large);
    await a.publish('large', 'after');
    await vi.waitFor(() => expect(got).toEqual(['small', large, 'after']), WAIT);
    const rows = await ask<{ channel: string }>('select channel from relayed_messages');
    expect(rows).toEqual([{ channel: 'large' }]);
    await ask('update relayed_messages set created_at_ms = created_at_ms - 61000');
    await open();
    expect(await ask('select 1 from relayed_messages')).toEqual([]);
  });

  test('a large message that is gone when it is asked for is a gap', async () => {
    const a = await open();
    await ask(`select pg_notify('haivemind_events', '#999999')`);
    await vi.waitFor(() => expect(a.gaps()).toBe(1), WAIT);
    await ask(`select pg_notify('haivemind_events', 'no envelope')`);
    const heard: string[] = [];
    a.subscribe('c', (message) => heard.push(message));
    const b = await open();
    await b.publish('c', 'still listening');
    await vi.waitFor(() => expect(heard).toEqual(['still listening']), WAIT);
  });

  test('PostgreSQL restarted: calls go on, the state is told, gaps are told, events come again', async () => {
    const [a, b] = [await open(), await open()];
    const heard: string[] = [];
    b.subscribe('c', (message) => heard.push(message));
    await server.kill();
    await untilState(a, 'degraded');
    await untilState(b, 'degraded');
    const status = await a.status();
    expect(status).toMatchObject({ kind: 'postgres', fix: expect.stringContaining('Start PostgreSQL') });
    expect(status.detail).not.toContain('haivemind@');
    await a.publish('c', 'lost');
    await server.restart();
    await untilState(a, 'ok');
    await untilState(b, 'ok');
    expect(a.changes.map(({ state }) => state)).toEqual(['degraded', 'ok']);
    expect(b.gaps()).toBeGreaterThan(0);
    await a.publish('c', 'again');
    await vi.waitFor(() => expect(heard).toEqual(['again']), WAIT);
  });

  test('others learn of a gap when one that was cut off is back', async () => {
    await using wire = await openWire(server.port);
    const [a, b] = [await open({ postgres: { url: viaPort(wire.port) } }), await open()];
    wire.cut();
    await untilState(a, 'degraded');
    await a.publish('c', 'nobody hears');
    wire.heal();
    await untilState(a, 'ok');
    await vi.waitFor(() => expect(b.gaps()).toBe(1), WAIT);
  });

  test('a server that hangs is noticed and left', async () => {
    await using wire = await openWire(server.port);
    const timing = { ...quick, command_timeout_ms: 200, connect_timeout_ms: 300 };
    const a = await open({ postgres: { url: viaPort(wire.port) }, timing });
    wire.freeze();
    expect(await a.status()).toMatchObject({ state: 'degraded', detail: expect.stringContaining('in time') });
    const own: string[] = [];
    a.subscribe('c', (message) => own.push(message));
    await a.publish('c', 'here');
    expect(own).toEqual(['here']);
    wire.heal();
    await untilState(a, 'ok');
  });

  test('a silent death is noticed without anybody asking', async () => {
    await using wire = await openWire(server.port);
    const timing = { ...quick, command_timeout_ms: 200, ping_interval_ms: 100 };
    const a = await open({ postgres: { url: viaPort(wire.port) }, timing });
    wire.freeze();
    await vi.waitFor(() => expect(a.changes.map(({ state }) => state)).toEqual(['degraded']), WAIT);
  });

  test('away at the start is like away later; no password shows', async () => {
    await using wire = await openWire(server.port);
    wire.cut();
    const secret = randomUUID();
    const through = new URL(viaPort(wire.port));
    through.password = secret;
    const a = await open({ postgres: { url: through.href } });
    const status = await a.status();
    expect(status.state).toBe('degraded');
    expect(JSON.stringify(status)).not.toContain(secret);
    wire.heal();
    await untilState(a, 'ok');
    expect(JSON.stringify([await a.status(), a.changes])).not.toContain(secret);
    await expect(open({ postgres: { url: `mysql://${secret}@host` } })).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });
});
