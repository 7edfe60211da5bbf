// PostgreSQL under the store when things go wrong: restarts, lost answers, two processes at once, old and newer schemas.
import { connect as connectTo, createServer, type Server, type Socket } from 'node:net';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withClient } from '../../../scripts/engines/client.ts';
import { freshDatabase, type PostgresServer, startPostgres } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { toErrorBody } from '../../kernel/errors.ts';
import { type Database, databaseOn } from '../database.ts';
import { openPostgresEngine } from './engine.ts';

interface Tables {
  notes: { note_id: string; body: string };
}

describeEngine('postgres', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  async function openStore(url: string, machine_id = 'm1'): Promise<Database<Tables>> {
    const store = databaseOn(await openPostgresEngine({ url, pool_max_count: 4 }), { machine_id });
    await store.write(async (trx) => {
      await sql`create table if not exists notes (note_id text primary key, body text not null)`.execute(trx);
    });
    return store.withTables<Tables>();
  }
  const insert = (store: Database<Tables>, note_id: string) =>
    store.write(async (trx) => {
      await trx.insertInto('notes').values({ note_id, body: 'x' }).execute();
    });
  const notes = async (store: Database<Tables>) =>
    (await store.db.selectFrom('notes').select('note_id').orderBy('note_id').execute()).map((row) => row.note_id);

  test('several processes that start at once on an empty database migrate it once', async () => {
    await using db = await freshDatabase(server.url);
    const stores = await Promise.all(['a', 'b', 'c', 'd'].map((id) => openStore(db.url, id)));
    for (const store of stores) await store.close();
  });

  test('a store of a later program is refused and not touched', async () => {
    await using db = await freshDatabase(server.url);
    const store = await openStore(db.url);
    await store.write((trx) => sql`update schema_version set version = 99`.execute(trx));
    await store.close();
    await expect(openStore(db.url)).rejects.toMatchObject({ code: 'storage_too_new' });
  });

  test('two schemas of one database are two stores, whatever else is on the search path', async () => {
    await using db = await freshDatabase(server.url);
    const inSchema = (path: string) => `${db.url}?options=${encodeURIComponent(`-c search_path=${path}`)}`;
    const first = await openStore(db.url);
    await insert(first, 'first');
    await sql`create schema second`.execute(first.db);
    const second = await openStore(inSchema('second,public'));
    expect(await notes(second)).toEqual([]);
    await insert(second, 'second');
    expect([await notes(first), await notes(second)]).toEqual([['first'], ['second']]);
    for (const store of [first, second]) await store.close();
    await expect(openStore(inSchema('third'))).rejects.toMatchObject({ code: 'config_invalid' });
  });

  test('a table of another program is refused and not touched', async () => {
    await using db = await freshDatabase(server.url);
    await withClient(db.url, (client) => client.query('create table schema_version as select 0::bigint as version'));
    await expect(openStore(db.url)).rejects.toMatchObject({ code: 'conflict' });
    const kept = await withClient(db.url, (client) => client.query('select version::text from schema_version'));
    expect(kept.rows).toEqual([{ version: '0' }]);
  });

  test('what is wrong with the address is said, without the password in it', async () => {
    const { port } = new URL(server.url);
    const secret = crypto.randomUUID();
    const failures = [
      `postgres://haivemind:${secret}@127.0.0.1:1/haivemind`,
      `postgres://haivemind:${secret}@127.0.0.1:${port}/nowhere`,
      `mysql://haivemind:${secret}@127.0.0.1/x`,
    ].map((url) => openPostgresEngine({ url }).then(() => undefined, toErrorBody));
    const [away, missing, other] = await Promise.all(failures);
    expect(away).toMatchObject({ code: 'unavailable' });
    expect(missing).toMatchObject({ code: 'config_invalid' });
    expect(other).toMatchObject({ code: 'config_invalid' });
    expect(JSON.stringify([away, missing, other])).not.toContain(secret);
  });

  test('a restart in the middle of writes and reads costs time and nothing else', async () => {
    await using db = await freshDatabase(server.url);
    const store = await openStore(db.url);
    const ids = Array.from({ length: 60 }, (_, i) => `n${String(i).padStart(2, '0')}`);
    const writing = (async () => {
      for (const id of ids) await insert(store, id);
    })();
    const reading = (async () => {
      let reads = 0;
      for (let seen = 0; seen < ids.length; reads++) seen = (await notes(store)).length;
      return reads;
    })();
    await server.kill();
    await server.restart();
    await writing;
    expect(await reading).toBeGreaterThan(0);
    expect(await notes(store)).toEqual(ids);
    await store.close();
  });

  test('a commit whose answer is lost is neither lost nor done twice', async () => {
    await using db = await freshDatabase(server.url);
    const direct = await openStore(db.url);
    const link = await cuttingLink(Number(new URL(server.url).port));
    const through = new URL(db.url);
    through.port = String(link.port);
    const store = await openStore(through.href);
    let runs = 0;
    for (const moment of ['before', 'after'] as const) {
      void link.cutAtCommit(moment);
      await store.write(async (trx) => {
        runs++;
        await sql`insert into notes (note_id, body) values (${`n${runs}`}, ${moment})`.execute(trx);
      });
    }
    const rows = await direct.db.selectFrom('notes').select('body').orderBy('body').execute();
    expect(rows).toEqual([{ body: 'after' }, { body: 'before' }]);
    // Cut before it reached the server, the first was run again; cut after, the second was found committed.
    expect(runs).toBe(3);
    await store.close();
    await direct.close();
    await link.close();
  });

  test('a commit that a crash took is not mistaken for another one that was given its id', async () => {
    await using db = await freshDatabase(server.url);
    const direct = await openStore(db.url, 'direct');
    const link = await cuttingLink(Number(new URL(server.url).port));
    const through = new URL(db.url);
    through.port = String(link.port);
    const store = await openStore(through.href);
    await direct.write((trx) => sql`select pg_switch_wal()`.execute(trx));
    const cut = link.cutAtCommit('before', { stay: true });
    const writing = insert(store, 'mine');
    await cut;
    await server.kill();
    await server.restart();
    for (let i = 0; i < 20; i++) await insert(direct, `other${i}`);
    link.heal();
    await writing;
    expect(await notes(direct)).toContain('mine');
    await store.close();
    await direct.close();
    await link.close();
  });

  test('two processes that change the same row both see each other', async () => {
    await using db = await freshDatabase(server.url);
    const [one, two] = [await openStore(db.url, 'one'), await openStore(db.url, 'two')];
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        insert(i % 2 ? one : two, `same${i % 20}`).catch((error) => toErrorBody(error)),
      ),
    );
    expect(await notes(one)).toHaveLength(20);
    await one.close();
    await two.close();
  });

  test('groups that wait for each other are all done, also where one has a write that fails', async () => {
    await using db = await freshDatabase(server.url);
    const [one, two] = [await openStore(db.url, 'one'), await openStore(db.url, 'two')];
    await insert(one, 'a');
    await insert(one, 'b');
    const holding = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const bothHold = Promise.all(holding.map(({ promise }) => promise));
    const add = (store: Database<Tables>, note_id: string, then: () => Promise<unknown>) =>
      store.write(async (trx) => {
        await trx.updateTable('notes').set({ body: sql`body || '+'` }).where('note_id', '=', note_id).execute();
        await then();
      });
    const group = (store: Database<Tables>, first: string, second: string, mine: number) => [
      store.write(() => Promise.reject(new Error('refused'))).catch(() => undefined),
      add(store, first, () => {
        holding[mine]?.resolve();
        return bothHold;
      }),
      add(store, second, async () => {}),
    ];
    await Promise.all([...group(one, 'a', 'b', 0), ...group(two, 'b', 'a', 1)]);
    expect(await one.db.selectFrom('notes').selectAll().orderBy('note_id').execute()).toEqual([
      { note_id: 'a', body: 'x++' },
      { note_id: 'b', body: 'x++' },
    ]);
    await one.close();
    await two.close();
  });

  test('a server that falls silent costs a time-out once, one that stays away is said to be away', async () => {
    await using db = await freshDatabase(server.url);
    const { port } = new URL(server.url);
    const [silent, gone] = [await cuttingLink(Number(port)), await cuttingLink(Number(port))];
    const openThrough = async (link: { readonly port: number }) => {
      const through = new URL(db.url);
      through.port = String(link.port);
      const engine = await openPostgresEngine({ url: through.href, pool_max_count: 1, statement_timeout_ms: 100 });
      return databaseOn(engine, { machine_id: 'm1' });
    };
    const [quiet, away] = [await openThrough(silent), await openThrough(gone)];
    const one = sql<{ one: number }>`select 1 as one`;
    silent.mute();
    // On its way when the server goes: it has a connection to give back.
    const under_way = sql`select pg_sleep(60)`.execute(away.db).then(() => undefined, toErrorBody);
    await gone.close();
    expect((await one.execute(quiet.db)).rows).toEqual([{ one: 1 }]);
    silent.mute();
    await quiet.write((trx) => one.execute(trx));
    expect((await one.execute(quiet.db)).rows).toEqual([{ one: 1 }]);
    expect(await under_way).toMatchObject({ code: 'unavailable', message: expect.stringContaining('does not answer') });
    for (const store of [quiet, away]) await store.close();
    await silent.close();
  });
});

/** A link to the server that can break at a chosen moment: `before` or `after` the server has got the next COMMIT. */
async function cuttingLink(target_port: number) {
  let cut: 'before' | 'after' | undefined;
  let open = true;
  let staysCut = false;
  let tell = () => {};
  const sockets = new Set<Socket>();
  const silent = new WeakSet<Socket>();
  const server: Server = createServer((client) => {
    if (!open) return void client.destroy();
    const upstream = connectTo(target_port, '127.0.0.1');
    let cutting = false;
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    client.on('data', (bytes) => {
      if (silent.has(client)) return;
      if (cut !== undefined && /commit\0/i.test(bytes.toString('latin1'))) {
        const moment = cut;
        cut = undefined;
        open = !staysCut;
        tell();
        if (moment === 'before') return end();
        cutting = true;
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => (cutting ? end() : client.write(bytes)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    /** Resolves when it is cut; with `stay` nobody gets through after that until `heal`. */
    cutAtCommit(moment: 'before' | 'after', { stay = false } = {}): Promise<void> {
      cut = moment;
      staysCut = stay;
      return new Promise((resolve) => {
        tell = resolve;
      });
    },
    heal() {
      open = true;
    },
    /** Nothing more passes over the present connections, which stay open. */
    mute() {
      for (const socket of sockets) silent.add(socket);
    },
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
