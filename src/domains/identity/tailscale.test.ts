// Who is behind an address of the tailnet, against a real server on a unix socket that answers as the daemon does.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { virtualClock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import { createWhois, type Whois } from './tailscale.ts';

const ANN = {
  Node: { ID: 1, Name: 'Laptop.tail1234.ts.net.', ComputedName: 'laptop', Addresses: ['100.101.102.103/32'] },
  UserProfile: { ID: 2, LoginName: 'ann@example.org', DisplayName: 'Ann' },
  CapMap: {},
};

let directory: string;
let socket: string;
let server: Server;
let asked: { path: string; host: string | undefined }[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let clock: ReturnType<typeof virtualClock>;
let whois: Whois;

const says = (body: unknown) => (_: IncomingMessage, response: ServerResponse) => {
  response.setHeader('content-type', 'application/json');
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'haivemind-ts-'));
  socket = join(directory, 'tailscaled.sock');
  asked = [];
  answer = says(ANN);
  server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', host: request.headers.host });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  clock = virtualClock();
  whois = createWhois({ socket, clock });
});
afterEach(async () => {
  await closed();
  rmSync(directory, { recursive: true, force: true });
});

function closed(): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

test('a person behind an address is a user on a machine, and no administrator', async () => {
  const ann = {
    user_id: 'ann@example.org',
    machine_id: 'laptop.tail1234.ts.net',
    credential: { kind: 'tailscale', admin: false },
  };
  expect(await whois('100.101.102.103', 50_000)).toEqual(ann);
  expect(await whois('::ffff:100.101.102.103', 50_001)).toEqual(ann);
  expect(await whois('fd7a:115c:a1e0::1', 443)).toEqual(ann);
  expect(asked).toEqual(
    ['100.101.102.103:50000', '100.101.102.103:50001', '[fd7a:115c:a1e0::1]:443'].map((address) => ({
      path: `/localapi/v0/whois?addr=${encodeURIComponent(address)}`,
      host: 'local-tailscaled.sock',
    })),
  );
});

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '100.63.255.255',
  '100.128.0.1',
  '::1',
  'fd7a:115c:a1e1::1',
  '',
  'x',
  '::ffff:8.8.8.8',
])('nobody is asked about %j', async (address) => {
  expect(await whois(address, 1)).toBeUndefined();
  expect(asked).toEqual([]);
});

test.each([
  ['a tagged machine', { ...ANN, UserProfile: { LoginName: 'tagged-devices' } }],
  ['a machine with tags that names its maker', { ...ANN, Node: { ...ANN.Node, Tags: ['tag:ci'] } }],
  ['no profile', { Node: ANN.Node }],
  ['no login', { ...ANN, UserProfile: { LoginName: '' } }],
  ['a login that is no name here', { ...ANN, UserProfile: { LoginName: 'a b' } }],
  ['a login of 200 characters', { ...ANN, UserProfile: { LoginName: 'x'.repeat(200) } }],
  ['null', null],
  ['a list', []],
  ['no JSON', '<html>'],
  ['more than it should', JSON.stringify({ ...ANN, more: 'x'.repeat(limits.tailscale_answer_max_bytes) })],
])('%s is nobody', async (_, body) => {
  answer = says(body);
  expect(await whois('100.101.102.103', 1)).toBeUndefined();
});

test('a machine without a usable name is just unknown', async () => {
  answer = says({ ...ANN, Node: { Name: 'two words' } });
  expect(await whois('100.101.102.103', 1)).toEqual({
    user_id: 'ann@example.org',
    credential: { kind: 'tailscale', admin: false },
  });
});

test('an answer holds for a few seconds', async () => {
  for (let i = 0; i < 3; i++) await whois('100.101.102.103', 1);
  clock.advance(limits.tailscale_cache_ms - 1);
  await whois('100.101.102.103', 1);
  expect(asked).toHaveLength(1);
  answer = says({ ...ANN, UserProfile: { LoginName: 'bob@example.org' } });
  clock.advance(1);
  expect(await whois('100.101.102.103', 1)).toMatchObject({ user_id: 'bob@example.org' });
  // A clock that was set back must not keep anybody.
  clock.advance(-60_000);
  await whois('100.101.102.103', 1);
  expect(asked).toHaveLength(3);
});

test('where the daemon knows nobody, that holds as long', async () => {
  answer = (_, response) => response.writeHead(404).end('no match for IP:port');
  expect(await whois('100.101.102.103', 1)).toBeUndefined();
  expect(await whois('100.101.102.103', 1)).toBeUndefined();
  expect(asked).toHaveLength(1);
});

test('a daemon that fails, breaks off or is away proves nothing, and is asked again', async () => {
  answer = (_, response) => response.writeHead(500).end('{}');
  expect(await whois('100.101.102.103', 1)).toBeUndefined();
  answer = (_, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('{"Node":');
    response.destroy();
  };
  expect(await whois('100.101.102.103', 1)).toBeUndefined();
  expect(asked).toHaveLength(2);
  answer = says(ANN);
  expect(await whois('100.101.102.103', 1)).toMatchObject({ user_id: 'ann@example.org' });
  const nowhere = createWhois({ socket: join(directory, 'none.sock'), clock });
  expect(await nowhere('100.101.102.103', 1)).toBeUndefined();
});

test('a daemon that never answers is given up', async () => {
  answer = () => {};
  expect(await whois('100.101.102.103', 1)).toBeUndefined();
  answer = (_, response) => void response.write('{"Node":{');
  expect(await whois('100.101.102.103', 1)).toBeUndefined();
  expect(asked).toHaveLength(2);
});
