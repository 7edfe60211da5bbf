// A server that will not have us: each reason in words that say what to do.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { withClient } from '../../../scripts/engines/client.ts';
import { type PostgresServer, startPostgres } from '../../../scripts/engines/index.ts';
import { describeEngine } from '../../../test/engines/suites.ts';
import { refusalOf } from '../../../test/support/open-app.ts';
import { openPostgresEngine } from './engine.ts';
import { postgresError } from './errors.ts';
import { clientConfig } from './pool.ts';

describeEngine('postgres', () => {
  let server: PostgresServer;
  const secret = randomBytes(12).toString('hex');
  beforeAll(async () => {
    // Whoever runs this may have a password of their own for other servers.
    vi.stubEnv('PGPASSWORD', undefined);
    vi.stubEnv('PGPASSFILE', '/nowhere');
    server = await startPostgres();
    await withClient(server.url, async (client) => {
      await client.query(`create role guarded login password '${secret}'`);
      await client.query('create database guarded owner guarded');
      await client.query(`create database narrow template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'`);
      const { rows } = await client.query<{ hba_file: string }>('show hba_file');
      const file = rows[0]?.hba_file ?? '';
      writeFileSync(file, `host all guarded all scram-sha-256\n${readFileSync(file, 'utf8')}`);
      await client.query('select pg_reload_conf()');
    });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await server.stop();
  });
  const urlOf = (change: (url: URL) => void): string => {
    const url = new URL(server.url);
    change(url);
    return url.href;
  };
  const opened = async (url: string, password?: string) => {
    await (await openPostgresEngine({ url, password, pool_max_count: 2 })).close();
  };

  test('one that wants a password says how to give it, whether there was none or an empty one', async () => {
    const url = urlOf((to) => {
      to.username = 'guarded';
    });
    for (const password of [undefined, ''])
      expect(await refusalOf(opened(url, password))).toMatchObject({
        code: 'config_invalid',
        message: expect.stringContaining('wants a password'),
        hint: expect.stringMatching(/PGPASSWORD.*\.pgpass.*storage\.postgres\.password/),
      });
    const wrong = randomBytes(12).toString('hex');
    const refused = await refusalOf(opened(url, wrong));
    expect(refused).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('was refused') });
    expect(JSON.stringify(refused)).not.toContain(wrong);
  });

  test('the password file is read without a word on standard error', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'haivemind-pgpass-')), 'pgpass');
    writeFileSync(file, `127.0.0.1:*:*:guarded:${secret}\n`, { mode: 0o600 });
    vi.stubEnv('PGPASSFILE', file);
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    try {
      await opened(
        urlOf((to) => {
          to.username = 'guarded';
          to.pathname = '/guarded';
        }),
      );
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', note);
      vi.stubEnv('PGPASSFILE', '/nowhere');
    }
  });

  test('one without TLS is not used where the URL asks for TLS', async () => {
    const url = urlOf((to) => to.searchParams.set('sslmode', 'require'));
    expect(await refusalOf(opened(url))).toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('offers no encrypted connection'),
      hint: expect.stringContaining('sslmode'),
    });
  });

  test('a database of another encoding is refused with the command that makes one', async () => {
    const url = urlOf((to) => {
      to.pathname = '/narrow';
    });
    const refused = await refusalOf(opened(url));
    expect(refused).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('LATIN1') });
    // The command works: what it makes is taken.
    const [, options = ''] = /--template (.+) <name>/.exec(refused.hint) ?? [];
    const [template, , encoding, , locale] = options.split(' ');
    await withClient(server.url, (client) =>
      client.query(`create database wide template ${template} encoding '${encoding}' locale '${locale}'`),
    );
    await opened(
      urlOf((to) => {
        to.pathname = '/wide';
      }),
    );
  });
});

test('a host whose name nobody knows', () => {
  const error = Object.assign(new Error('getaddrinfo ENOTFOUND db.invalid'), { code: 'ENOTFOUND' });
  expect(postgresError(error, 'db.invalid:5432/db')).toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('ENOTFOUND'),
    hint: expect.stringContaining('storage.postgres.url'),
  });
});

describe('sslmode', () => {
  test.each(['prefer', 'require', 'verify-ca'])(
    '%s is checked in full, and nothing is printed about it',
    async (mode) => {
      const warnings: Error[] = [];
      const note = (warning: Error) => warnings.push(warning);
      process.on('warning', note);
      try {
        const { ssl } = new pg.Client(clientConfig({ url: `postgres://user@db.example/db?sslmode=${mode}` }));
        expect(ssl).toEqual({});
        // Warnings are told in the next turn of the loop.
        await new Promise((resolve) => setImmediate(resolve));
        expect(warnings).toEqual([]);
      } finally {
        process.off('warning', note);
      }
    },
  );

  test('what asks for less keeps its meaning', () => {
    const sslOf = (mode: string) =>
      new pg.Client(clientConfig({ url: `postgres://user@db.example/db?sslmode=${mode}` })).ssl;
    expect(sslOf('disable')).toBe(false);
    expect(sslOf('no-verify')).toEqual({ rejectUnauthorized: false });
    expect(sslOf('require&uselibpqcompat=true')).toEqual({ rejectUnauthorized: false });
  });
});
