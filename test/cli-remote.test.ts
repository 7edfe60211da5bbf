// Commands of one machine against the hub of another: the built command, over an address that is not loopback.
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt, makePlace, type Place, type Ran } from './cli-binary.ts';

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
    const mcp = await remote(bob.token, ['mcp']);
    expect(mcp).toMatchObject({ code: 2, stderr: expect.stringContaining('HAIVEMIND_URL') });
    const own = await here.run(['search', 'kept at the hub', '--json']);
    expect(JSON.parse(own.stdout)).toMatchObject({ results: [] });
    const lines = await remote(bob.token, ['init', '--client', 'claude']);
    expect(lines.stdout).toContain(`${url}/mcp --header "Authorization: Bearer <token>"`);
    expect(lines.stdout).not.toContain(bob.token);
  });
});
