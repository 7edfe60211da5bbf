// Commands of one machine against the hub of another: the built command, over an address that is not loopback.
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt, makePlace, type Place, type Ran } from './cli-binary.ts';

/** Commands that work on the store of the machine they run on. */
const LOCAL_ONLY = [
  ['mcp'],
  ['vault', 'rotate-master-key'],
  ['backup', 'copy.db'],
  ['restore', 'copy.db', '--yes'],
  ['reindex'],
  ['migrate-store', '--from', 'sqlite:.', '--to', 'sqlite:other'],
  ['doctor', '--fix'],
];

/** Of this machine, as another would reach it. */
const address = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

describe.skipIf(address === undefined)('commands against a hub elsewhere', () => {
  let there: Place;
  let here: Place;
  let url: string;
  let bob: { token: string; jti: string };

  beforeAll(async () => {
    ensureBuilt();
    there = makePlace();
    here = makePlace();
    const { listening } = await there.serve(['serve'], { HAIVEMIND_HOST: '0.0.0.0', HAIVEMIND_LOG_LEVEL: 'info' });
    url = listening.url.replace('127.0.0.1', address ?? '');
    bob = await tokenFor('bob');
  }, 120_000);
  afterAll(async () => {
    await Promise.all([there.remove(), here.remove()]);
  });

  async function tokenFor(user: string, ...more: string[]): Promise<{ token: string; jti: string }> {
    const made = await there.run(['token', 'create', '--user', user, ...more, '--json']);
    expect(made, made.stderr).toMatchObject({ code: 0 });
    return JSON.parse(made.stdout) as { token: string; jti: string };
  }

  const remote = (token: string | undefined, args: readonly string[], input = ''): Promise<Ran> =>
    here.run(args, { input, env: { HAIVEMIND_URL: url, ...(token === undefined ? {} : { HAIVEMIND_TOKEN: token }) } });

  it('store, find, import and export as the user of the token', async () => {
    const stored = await remote(bob.token, ['memory', 'store', 'kept at the hub by bob', '--scope', 'solo', '--json']);
    expect(stored, stored.stderr).toMatchObject({ code: 0, stderr: expect.stringContaining('plain http') });
    const { memory_id } = JSON.parse(stored.stdout) as { memory_id: string };
    const got = await remote(bob.token, ['memory', 'get', memory_id, '--json']);
    expect(JSON.parse(got.stdout)).toMatchObject({ user_id: 'bob', agent_id: 'haivemind-cli' });
    const imported = await remote(bob.token, ['import', '-', '--format', 'markdown'], '# Imported\n\nfrom elsewhere\n');
    expect(imported, imported.stderr).toMatchObject({ code: 0 });
    const exported = await remote(bob.token, ['export']);
    expect(exported.stdout).toContain('kept at the hub by bob');
    expect(exported.stdout).toContain('from elsewhere');
    // The hub's owner is somebody else.
    const owners = await there.run(['memory', 'get', memory_id, '--json']);
    expect(owners.code).toBe(3);
    const { token } = await tokenFor('carol');
    expect((await remote(token, ['memory', 'get', memory_id])).code).toBe(3);
  });

  it('are refused without a token, with a wrong one, beyond its scopes and after it was revoked', async () => {
    for (const token of [undefined, 'made-up', `${bob.token.slice(0, -4)}AAAA`]) {
      const refused = await remote(token, ['memory', 'store', 'nobody said this']);
      expect(refused).toMatchObject({ code: 4, stdout: '' });
      expect(refused.stderr).not.toContain(bob.token.slice(-20));
    }
    const reader = await tokenFor('bob', '--scope', 'memory.read');
    expect((await remote(reader.token, ['memory', 'store', 'too much'])).code).toBe(4);
    expect((await remote(bob.token, ['token', 'create', '--user', 'root'])).code).toBe(4);
    expect((await there.run(['token', 'revoke', reader.jti])).code).toBe(0);
    expect((await remote(reader.token, ['search', 'anything'])).code).toBe(4);
  });

  it('leaves the store of this machine alone, and says what serves only that', async () => {
    for (const words of LOCAL_ONLY) {
      const ran = await remote(bob.token, words);
      expect(ran, words.join(' ')).toMatchObject({ code: 2, stdout: '' });
      expect(ran.stderr).toMatch(/HAIVEMIND_URL names a hub elsewhere[\s\S]+nset HAIVEMIND_URL/);
    }
    expect(existsSync(here.data_dir)).toBe(false);
    const own = await here.run(['search', 'kept at the hub', '--json']);
    expect(JSON.parse(own.stdout)).toMatchObject({ results: [] });
    const lines = await remote(bob.token, ['init', '--client', 'claude']);
    expect(lines.stdout).toContain(`${url}/mcp --header "Authorization: Bearer <token>"`);
    expect(lines.stdout).not.toContain(bob.token);
  });

  it('doctor tells of that hub alone, or why it refuses', async () => {
    const asked = async (token: string | undefined) => {
      const ran = await remote(token, ['doctor', '--json']);
      return { ...ran, checks: (JSON.parse(ran.stdout) as { checks: { name: string; detail: string }[] }).checks };
    };
    const well = await asked((await tokenFor('root', '--admin')).token);
    expect(well.checks[0]).toMatchObject({ name: 'remote hub', status: 'ok', detail: expect.stringContaining(url) });
    const names = well.checks.map((check) => check.name);
    expect(names).toContain('store');
    for (const local of ['data directory', 'disk space', 'hub', 'port', 'sync port', 'machine'])
      expect(names).not.toContain(local);
    const reader = await asked((await tokenFor('bob', '--scope', 'memory.read')).token);
    expect(reader).toMatchObject({ code: 0, checks: [{ name: 'remote hub', status: 'ok' }, {}, {}] });
    for (const token of [undefined, 'made-up']) {
      const refused = await asked(token);
      expect(refused.code).toBe(1);
      expect(refused.checks[0]).toMatchObject({
        name: 'remote hub',
        status: 'failed',
        detail: expect.stringContaining(token === undefined ? 'does not say who sends it' : 'Authorization header'),
        fix: expect.stringContaining('token'),
      });
      expect(refused.stdout).not.toMatch(/Cannot read properties|made-up/);
    }
  });

  it('a mode set in a session of a name holds for every process that names it', async () => {
    const made = await remote(bob.token, ['team', 'create', 'ops', '--json']);
    const { team_id } = JSON.parse(made.stdout) as { team_id: string };
    const named = (HAIVEMIND_SESSION: string, words: readonly string[]) =>
      here.run(words, { env: { HAIVEMIND_URL: url, HAIVEMIND_TOKEN: bob.token, HAIVEMIND_SESSION } });
    expect(await named('night', ['mode', 'set', 'team', team_id])).toMatchObject({ code: 0 });
    const mode = async (session: string) => JSON.parse((await named(session, ['mode', 'get', '--json'])).stdout);
    expect(await mode('night')).toMatchObject({ mode: 'team' });
    expect(await mode('day')).toMatchObject({ mode: 'solo' });
  });

  it("a hub on that address alone is its owner's, and prints the line that works elsewhere", async () => {
    const alone = makePlace();
    try {
      const { listening } = await alone.serve(['serve'], { HAIVEMIND_HOST: address });
      expect(listening.url).toContain(String(address));
      expect(await alone.run(['store', 'kept by the owner'])).toMatchObject({ code: 0 });
      expect(await alone.run(['token', 'create', '--user', 'bob'])).toMatchObject({ code: 0 });
      const line = `claude mcp add --transport http haivemind ${listening.url}/mcp --header "Authorization: Bearer <token>"`;
      const welcome = await alone.run(['up', '--welcome']);
      expect(welcome).toMatchObject({ code: 0, stdout: expect.stringContaining(line) });
      expect(welcome.stdout).toContain('haivemind token create --user');
      // The port is known from the hub that runs: the configuration says 0.
      const lines = await alone.run(['init', '--client', 'claude']);
      expect(lines.stdout).toContain(line);
      expect(lines.stdout).toContain('haivemind token create --user');
    } finally {
      await alone.remove();
    }
  });
});
