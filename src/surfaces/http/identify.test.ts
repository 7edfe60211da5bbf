// When Tailscale is asked who somebody is: for what came in over the tailnet from elsewhere, and for nothing else. And
// from where the owner's key is taken.
import { expect, test } from 'vitest';
import { failure } from '../../kernel/errors.ts';
import type { Identities } from '../runtime.ts';
import type { GuardSettings, Incoming } from './guards.ts';
import { identify } from './identify.ts';

const SETTINGS: GuardSettings = {
  host: '0.0.0.0',
  port: 8900,
  trust_loopback: true,
  owner_key: crypto.randomUUID(),
  allowed_hosts: [],
};

async function asked(remote_address: string, local_address: string | undefined, headers = {}) {
  const peers: string[] = [];
  const identities: Identities = {
    bearer: () => Promise.reject(failure('unauthenticated', 'The token is not accepted.', 'Send another.')),
    async peer(address) {
      peers.push(address);
      return { user_id: 'ann@example.org', credential: { kind: 'tailscale', admin: false } };
    },
    jwks: async () => ({ keys: [] }),
    issuers: [],
    public_url: undefined,
    turnedAway: async () => undefined,
  };
  const incoming: Incoming = {
    headers,
    raw_headers: Object.entries(headers).flat().map(String),
    url: '/mcp',
    remote_address,
    remote_port: 50_000,
    local_address,
  };
  const caller = await identify(identities, incoming, SETTINGS);
  return { peers, who: 'status' in caller ? caller.status : caller.identity?.user_id };
}

test.each([
  ['100.101.102.103', '100.64.0.7'],
  ['::ffff:100.101.102.103', '::ffff:100.64.0.7'],
  ['fd7a:115c:a1e0::2', 'fd7a:115c:a1e0::1'],
])('a peer %s that came to %s is who Tailscale says', async (remote, local) => {
  expect(await asked(remote, local)).toEqual({ peers: [remote], who: 'ann@example.org' });
});

test.each([
  ['the same tailnet address', '100.64.0.7', '100.64.0.7'],
  ['the same, written as IPv6', '::ffff:100.64.0.7', '100.64.0.7'],
  ['the same of IPv6', 'fd7a:115c:a1e0::1', 'fd7a:115c:a1e0::1'],
  ['loopback', '100.64.0.7', '127.0.0.1'],
  ['an address of the local network', '100.64.0.7', '192.168.1.7'],
  ['an address nobody knows', '100.64.0.7', undefined],
])('Tailscale is not asked about a connection to %s', async (_, remote, local) => {
  expect(await asked(remote, local)).toEqual({ peers: [], who: 401 });
});

test('Tailscale is not asked about what a proxy hands on', async () => {
  const forwarded = { 'x-forwarded-for': '203.0.113.9' };
  expect(await asked('100.101.102.103', '100.64.0.7', forwarded)).toEqual({ peers: [], who: 401 });
});

const KEY = { authorization: `Bearer ${SETTINGS.owner_key}` };

test.each([
  ['loopback', '127.0.0.1', '127.0.0.1'],
  ['its own address of the local network', '192.168.1.7', '192.168.1.7'],
  ['the same, written as IPv6', '::ffff:192.168.1.7', '192.168.1.7'],
  ['its own address of IPv6', 'fd00::7', 'fd00::7'],
])('the key of the hub makes the owner of who comes from %s', async (_, remote, local) => {
  expect(await asked(remote, local, KEY)).toEqual({ peers: [], who: undefined });
  expect(await asked(remote, local, { ...KEY, 'x-forwarded-for': remote })).toEqual({ peers: [], who: 401 });
});

test.each([
  ['another address of the network', '192.168.1.8', '192.168.1.7'],
  ['the tailnet', '100.101.102.103', '100.64.0.7'],
  ['an address nobody knows', '192.168.1.7', undefined],
])('the key of the hub is worth nothing from %s', async (_, remote, local) => {
  expect(await asked(remote, local, KEY)).toEqual({ peers: [], who: 401 });
});
