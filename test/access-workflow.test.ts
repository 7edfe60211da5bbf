// A team's whole way over HTTP with three people, each with a token and an MCP client of their own, against the built hub
// that trusts nobody: the "Complete Workflow Example" of the product's reference, and the same surface asked as curl does.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureBuilt, makePlace, type Place, type RunningServer } from './cli-binary.ts';

type Fields = Record<string, unknown>;
type Person = 'ada@example.com' | 'alice@dev.com' | 'bob@dev.com';
type Anybody = Person | 'stranger@example.com' | 'probe@example.com';

let place: Place;
let hub: RunningServer;
const tokens = new Map<Anybody, string>();
const clients: Client[] = [];

beforeAll(async () => {
  ensureBuilt();
  place = makePlace();
  const config = join(place.home, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({ security: { trust_loopback: false }, storage: { embedding: { provider: 'none' } } }),
  );
  place.env.HAIVEMIND_CONFIG = config;
  for (const user of ['ada@example.com', 'alice@dev.com', 'bob@dev.com', 'stranger@example.com'] as const) {
    const made = await place.run(['token', 'create', '--user', user]);
    expect(made).toMatchObject({ code: 0 });
    tokens.set(user, made.stdout.trim());
  }
  const probe = await place.run([
    'token',
    'create',
    '--user',
    'probe@example.com',
    '--admin',
    '--scope',
    'system.read',
  ]);
  tokens.set('probe@example.com', probe.stdout.trim());
  hub = await place.serve(['up']);
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await hub.stop();
  await place.remove();
});

function bearer(person: Anybody): Record<string, string> {
  return { authorization: `Bearer ${tokens.get(person)}` };
}

async function connect(person: Person, session: string): Promise<(tool: string, input: Fields) => Promise<Fields>> {
  const client = new Client({ name: 'workflow', version: '1.0.0' });
  const headers = { ...bearer(person), 'x-haivemind-session': session };
  await client.connect(
    new StreamableHTTPClientTransport(new URL('/mcp', hub.listening.url), { requestInit: { headers } }),
  );
  clients.push(client);
  return async (name, input) => {
    const answer = await client.callTool({ name, arguments: input });
    return { ...(answer.structuredContent as Fields), failed: answer.isError === true };
  };
}

it('takes a team from its founding to the review of who read which secret', async () => {
  const ada = await connect('ada@example.com', 'ada');
  const alice = await connect('alice@dev.com', 'alice');
  const bob = await connect('bob@dev.com', 'bob');

  const team = await ada('create_team', {
    name: 'Payment Integration',
    description: 'Team handling payment system integration',
  });
  const { team_id } = team;
  expect(team_id).toMatch(/^team_/);
  const vault = await ada('create_vault', { name: 'Payment Secrets', vault_type: 'team', team_id });
  const { vault_id } = vault;
  expect(await alice('get_team', { team_id })).toMatchObject({ failed: true, code: 'not_found' });
  expect(await ada('add_team_member', { team_id, user_id: 'alice@dev.com', role: 'admin' })).toMatchObject({
    failed: false,
  });
  expect(await ada('add_team_member', { team_id, user_id: 'bob@dev.com', role: 'member' })).toMatchObject({
    failed: false,
  });

  expect(await ada('set_mode', { mode: 'team', context_id: team_id })).toMatchObject({ failed: false, mode: 'team' });
  const stripe = `made-up-${crypto.randomUUID()}`;
  expect(await ada('store_in_vault', { vault_id, key: 'stripe_secret', value: stripe })).toMatchObject({
    failed: false,
    version: 1,
  });
  await ada('store_in_vault', { vault_id, key: 'webhook_secret', value: `made-up-${crypto.randomUUID()}` });

  expect(
    await bob('retrieve_from_vault', { vault_id, key: 'stripe_secret', audit_reason: 'Setting up payment processing' }),
  ).toMatchObject({ failed: false, value: stripe });
  expect(await bob('retrieve_from_vault', { vault_id, key: 'stripe_secret', audit_reason: ' ' })).toMatchObject({
    failed: true,
    code: 'invalid_input',
  });

  // What one member learns reaches the others, and nobody's private notes do.
  await ada('store_memory', { content: 'stripe webhooks retry for three days' });
  await bob('store_memory', { content: 'private: I do not understand stripe webhooks yet' });
  await alice('set_mode', { mode: 'team', context_id: team_id });
  const seen = await alice('search_memories', { query: 'stripe webhooks' });
  expect((seen.results as Fields[]).map((hit) => hit.content)).toEqual(['stripe webhooks retry for three days']);

  const log = await alice('vault_audit_log', { vault_id, hours: 168 });
  expect(JSON.stringify(log)).toContain('Setting up payment processing');
  expect(JSON.stringify(log)).toContain('bob@dev.com');
  expect(JSON.stringify(log)).not.toContain(stripe);

  expect(await alice('remove_team_member', { team_id, user_id: 'bob@dev.com' })).toMatchObject({ failed: false });
  expect(await bob('retrieve_from_vault', { vault_id, key: 'stripe_secret', audit_reason: 'once more' })).toMatchObject(
    {
      failed: true,
      code: 'not_found',
    },
  );
  const verified = await place.run(['audit', 'verify', '--json']);
  expect(verified).toMatchObject({ code: 0 });
});

it('keeps a mode over a reconnect', async () => {
  const first = await connect('alice@dev.com', 'alice');
  const { mode, context_id } = await first('get_mode', {});
  expect(mode).toBe('team');
  const again = await connect('alice@dev.com', 'alice');
  expect(await again('get_mode', {})).toMatchObject({ mode, context_id });
});

it('answers what curl asks with a token, and nobody without one', async () => {
  const { url, sync_url } = hub.listening;
  const asked: [string, RequestInit, number][] = [
    [`${sync_url}/api/status`, {}, 401],
    [`${sync_url}/api/status`, { headers: bearer('bob@dev.com') }, 403],
    [`${sync_url}/api/status`, { headers: bearer('probe@example.com') }, 200],
    [`${url}/health`, {}, 401],
    [`${url}/health`, { headers: bearer('bob@dev.com') }, 403],
    [`${url}/health`, { headers: bearer('probe@example.com') }, 200],
    [`${url}/health/live`, {}, 200],
    [`${url}/api/v1/teams`, { headers: bearer('stranger@example.com') }, 200],
    [`${url}/api/v1/teams`, { headers: { authorization: 'Bearer nonsense' } }, 401],
    [`${sync_url}/api/trigger-sync`, { method: 'POST' }, 401],
    [`${url}/.well-known/oauth-protected-resource`, {}, 200],
    [`${url}/.well-known/jwks.json`, {}, 200],
  ];
  for (const [address, init, status] of asked) {
    const answer = await fetch(address, init);
    expect([address, init.method ?? 'GET', answer.status]).toEqual([address, init.method ?? 'GET', status]);
    if (status === 401) expect(answer.headers.get('www-authenticate')).toContain('resource_metadata=');
  }
  const admin = (await place.run(['token', 'create', '--user', 'ada@example.com', '--admin'])).stdout.trim();
  const trigger = { method: 'POST', headers: { authorization: `Bearer ${admin}` } };
  expect((await fetch(`${sync_url}/api/trigger-sync`, trigger)).status).toBe(200);
});

it('serves commands of its own machine as the owner by the key in hub.json, which is nothing elsewhere', async () => {
  const record = join(place.data_dir, 'hub.json');
  expect(statSync(record).mode & 0o077).toBe(0);
  const { owner_key } = JSON.parse(readFileSync(record, 'utf8')) as { owner_key: string };
  const ask = (headers: Record<string, string>) => fetch(`${hub.listening.url}/health`, { headers });
  expect((await ask({ authorization: `Bearer ${owner_key}` })).status).toBe(200);
  expect((await ask({ authorization: `Bearer ${owner_key}`, 'x-forwarded-for': '10.0.0.1' })).status).toBe(401);
  expect((await ask({ authorization: `Bearer ${owner_key.slice(0, -1)}x` })).status).toBe(401);
});

it('ends what a revoked token began', async () => {
  const made = await place.run(['token', 'create', '--user', 'bob@dev.com', '--json']);
  const { token, jti } = JSON.parse(made.stdout) as { token: string; jti: string };
  const ask = () => fetch(`${hub.listening.url}/api/v1/teams`, { headers: { authorization: `Bearer ${token}` } });
  expect((await ask()).status).toBe(200);
  expect(await place.run(['token', 'revoke', jti])).toMatchObject({ code: 0 });
  const refused = await ask();
  expect(refused.status).toBe(401);
  expect(refused.headers.get('www-authenticate')).toContain('invalid_token');
});
