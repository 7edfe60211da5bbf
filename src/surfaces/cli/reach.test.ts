// Which address and which lines clients of a hub are given, by what it listens on.
import { expect, it } from 'vitest';
import { claudeHttp, clientSnippet } from './connect.ts';
import { reachOf } from './reach.ts';

const TRUSTING = { trust_loopback: true };
const LAN = ['192.168.1.7', '10.0.0.7'];
const at = (host: string) => ({ host, port: 8900 });

it.each([
  ['127.0.0.1', 'http://127.0.0.1:8900'],
  ['localhost', 'http://localhost:8900'],
  ['::1', 'http://[::1]:8900'],
])('a hub on %s needs no token, unless loopback is not trusted', (host, url) => {
  expect(reachOf(at(host), TRUSTING, LAN)).toEqual({ url, token: false });
  expect(reachOf(at(host), { trust_loopback: false }, LAN)).toEqual({ url, token: true });
});

it.each([
  ['192.168.1.9', 'http://192.168.1.9:8900'],
  ['fd00::7', 'http://[fd00::7]:8900'],
  ['0.0.0.0', 'http://192.168.1.7:8900'],
  ['::', 'http://192.168.1.7:8900'],
])('a hub on %s is reached over the network, with a token', (host, url) => {
  expect(reachOf(at(host), TRUSTING, LAN)).toEqual({ url, token: true });
  const public_url = 'https://hub.example/';
  expect(reachOf(at(host), { ...TRUSTING, public_url }, LAN)).toEqual({ url: 'https://hub.example', token: true });
});

it('a hub on all addresses of a machine without a network is still told', () => {
  expect(reachOf(at('0.0.0.0'), TRUSTING, [])).toEqual({ url: 'http://127.0.0.1:8900', token: true });
});

it('the lines for HTTP send a token where one is needed, and say how to make one; stdio stays as it is', () => {
  const open = { node: '/n', entry: '/e', url: 'http://127.0.0.1:8900' };
  const guarded = { ...open, url: 'http://192.168.1.7:8900', token: true };
  expect(claudeHttp(open)).not.toContain('Bearer');
  expect(claudeHttp(guarded)).toBe(
    'claude mcp add --transport http haivemind http://192.168.1.7:8900/mcp --header "Authorization: Bearer <token>"',
  );
  for (const client of ['claude', 'http'] as const) {
    expect(clientSnippet(client, guarded)).toContain('haivemind token create --user');
    expect(clientSnippet(client, open)).not.toContain('token create');
  }
  expect(clientSnippet('claude', guarded)).toContain('-- /n /e mcp');
  expect(clientSnippet('http', guarded)).toContain('"Authorization": "Bearer <token>"');
  expect(clientSnippet('cursor', guarded)).toBe(clientSnippet('cursor', open));
});
