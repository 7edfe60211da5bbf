// Processes that come and go on one data directory: starting at the same moment, a hub that dies under its proxies.
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { ensureBuilt, makePlace, type Place } from './cli-binary.ts';
import { searched } from './support/ledger.ts';
import { killLeftovers } from './support/mcp-process.ts';
import { endAll, type Member, stdioMember } from './support/multi-process.ts';
import { seeded } from './support/seeded.ts';
import { checkStore } from './support/store-check.ts';

const TAKEOVER_DEADLINE_MS = 30_000;

let place: Place;
let members: Member[];

beforeAll(ensureBuilt);
beforeEach(() => {
  place = makePlace();
  members = [];
});
afterEach(async () => {
  await killLeftovers();
  await place.remove();
});

async function join(name: string): Promise<Member> {
  const member = await stdioMember(place, name);
  members.push(member);
  return member;
}

async function store(member: Member): Promise<string> {
  const token = seeded(Math.floor(performance.now() * 1000)).word();
  await member.ask('store_memory', { content: `${member.name} says ${token}`, category: 'project' });
  return token;
}

it.each([1, 2, 3, 4])('four processes starting at once on an empty directory all work (%i)', async () => {
  const started = await Promise.all(['a', 'b', 'c', 'd'].map(join));
  const tokens = await Promise.all(started.map(store));
  for (const { ask, name } of started) {
    for (const token of tokens) expect(await searched(token, ask), name).toHaveLength(1);
  }
  await endAll(started);
  expect(checkStore(place.data_dir)).toMatchObject({ problems: [], living: 4 });
});

it('a hub and two stdio processes starting at once on an empty directory all work', async () => {
  const [server, ...started] = await Promise.all([place.serve(['serve']), join('a'), join('b')]);
  const tokens = await Promise.all(started.map(store));
  for (const { ask } of started) for (const token of tokens) expect(await searched(token, ask)).toHaveLength(1);
  expect((await server.stop()).code).toBe(0);
  await endAll(started);
  expect(checkStore(place.data_dir)).toMatchObject({ problems: [], living: 2 });
});

it('proxied processes go on when the hub is killed, and a new hub can take its place', async () => {
  const first = await place.serve(['serve']);
  const proxied = [await join('proxied 1'), await join('proxied 2')] as const;
  const before = await Promise.all(proxied.map(store));
  await first.stop('SIGKILL');
  // Nobody is there at first: the client is told to ask again, and then it works.
  const after = await Promise.all(proxied.map((member) => retried(() => store(member))));
  for (const { ask } of proxied) {
    for (const token of [...before, ...after]) expect(await searched(token, ask)).toHaveLength(1);
  }
  const second = await place.serve(['serve']);
  const late = await join('late');
  for (const token of [...before, ...after]) expect(await searched(token, late.ask)).toHaveLength(1);
  await second.stop();
  await endAll(members);
  expect(checkStore(place.data_dir)).toMatchObject({ problems: [], living: 4 });
});

it('a hub that stops and comes back is found again by its proxies', async () => {
  const first = await place.serve(['serve']);
  const proxied = await join('proxied');
  const before = await store(proxied);
  await first.stop();
  await place.serve(['serve']);
  const after = await retried(() => store(proxied));
  for (const token of [before, after]) expect(await retried(() => searched(token, proxied.ask))).toHaveLength(1);
});

async function retried<T>(work: () => Promise<T>): Promise<T> {
  const deadline_ms = performance.now() + TAKEOVER_DEADLINE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > deadline_ms || !String(error).includes('went away')) throw error;
    }
  }
}
