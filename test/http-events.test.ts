// GET /api/v1/events on a hub: what a program hears that is no MCP client, and what open streams may cost.
import { get, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { limits } from '../src/kernel/limits.ts';
import { type HttpServer, startHttp } from '../src/surfaces/http/server.ts';
import type { StoreEvent } from '../src/surfaces/runtime.ts';
import { type Answer, type App, openApp } from './support/open-app.ts';
import { tinyHubs } from './support/tiny-hubs.ts';
import { tinyRuntime } from './support/tiny-runtime.ts';

const OPTIONS = { host: '127.0.0.1', port: 0, trustLoopback: true, allowedHosts: [], recheckMs: 20 };

let app: App;
let http: HttpServer;
let bob: Token;
const open = new Set<Heard>();
beforeAll(async () => {
  app = await openApp({ role: 'server' });
  http = await startHttp(app.runtime, { ...OPTIONS, clock: app.clock });
  bob = await tokenOf('bob');
});
afterEach(() => {
  for (const heard of open) heard.stop();
  open.clear();
});
afterAll(async () => {
  // A client may hold a connection on which it never asked anything: nothing to wait for.
  await http.close(1_000);
  await app[Symbol.asyncDispose]();
});

interface Token {
  readonly token: string;
  readonly jti: string;
}

const url = (path: string) => `http://127.0.0.1:${http.port}/api/v1${path}`;

async function own(path: string, body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(url(path), { method: 'POST', headers, body: JSON.stringify(body) });
}

async function tokenOf(user: string): Promise<Token> {
  return (await (await own('/tokens', { user })).json()) as Token;
}

const ask = ({ token }: Token, query = '', headers: Record<string, string> = {}, signal?: AbortSignal) =>
  fetch(url(`/events${query}`), {
    headers: { authorization: `Bearer ${token}`, ...headers },
    ...(signal ? { signal } : {}),
  });

interface Heard {
  readonly events: Answer[];
  ended(): boolean;
  stop(): void;
  until(count: number): Promise<Answer[]>;
}

/** Follows from the moment it resolves. */
async function listen(token: Token, query = '', headers: Record<string, string> = {}): Promise<Heard> {
  const gone = new AbortController();
  const answer = await ask(token, query, headers, gone.signal);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  const events: Answer[] = [];
  let over = false;
  const reading = async () => {
    let rest = '';
    for await (const piece of answer.body ?? []) {
      const blocks = (rest + Buffer.from(piece).toString('utf8')).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s)));
        if (fields.data) events.push({ id: fields.id, event: fields.event, ...JSON.parse(fields.data) });
      }
    }
  };
  void reading()
    .catch(() => {})
    .finally(() => {
      over = true;
    });
  const heard: Heard = {
    events,
    ended: () => over,
    stop: () => gone.abort(),
    async until(count) {
      await expect.poll(() => events.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(count);
      return events;
    },
  };
  open.add(heard);
  return heard;
}

const make = async (title: string, user: string, fields: object = {}): Promise<string> =>
  (await app.call('create_kanban_task', { title, ...fields }, { user })).task.task_id;
const titles = (events: readonly Answer[]) => events.map(({ title }) => title);

test('a client that comes back with the last id hears what it missed, and nothing twice', async () => {
  const first = await listen(bob, '?kinds=task');
  await make('heard', 'bob');
  const [{ id } = { id: '' }] = await first.until(1);
  first.stop();
  await make('missed one', 'bob');
  await make('missed two', 'bob');
  const again = await listen(bob, '?kinds=task', { 'last-event-id': id });
  await again.until(2);
  await make('afterwards', 'bob');
  expect(titles(await again.until(3))).toEqual(['missed one', 'missed two', 'afterwards']);
});

test('of several kinds those that were asked for, and nothing that is another user’s alone', async () => {
  const heard = await listen(bob, '?kinds=task,%20project');
  await app.call('create_project', { name: 'ada alone' }, { user: 'ada' });
  await make('ada alone', 'ada');
  await app.call('store_memory', { content: 'of no kind asked for' }, { user: 'bob' });
  const project = await app.call('create_project', { name: 'of bob' }, { user: 'bob' });
  const task_id = await make('for everybody', 'ada', { scope: 'shared' });
  const events = await heard.until(2);
  expect(events).toMatchObject([
    { event: 'project', project_id: project.project_id, name: 'of bob' },
    { event: 'task', task_id, title: 'for everybody', status: 'todo', ready: true, deleted: false },
  ]);
  await app.call('delete_kanban_task', { task_id }, { user: 'ada' });
  expect((await heard.until(3))[2]).toMatchObject({ event: 'task', task_id, deleted: true });
});

test.each([
  ['an id that is none', '', { 'last-event-id': 'nonsense' }],
  ['a kind there is none of', '?kinds=task,secrets', {}],
  ['an unknown parameter', '?since=1h', {}],
] as const)('%s is refused with 400', async (_what, query, headers) => {
  const answer = await ask(bob, query, headers);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'invalid_input', hint: expect.stringMatching(/\S/) });
});

test('a user has only so many streams, others have theirs, and a closed one makes room', async () => {
  const eve = await tokenOf('eve');
  const heard = await Promise.all(Array.from({ length: limits.event_streams_per_user_max_count }, () => listen(eve)));
  const refused = await ask(eve);
  expect(await refused.json()).toMatchObject({ code: 'limit_exceeded' });
  expect(refused.status).toBeGreaterThanOrEqual(400);
  await listen(bob);
  heard[0]?.stop();
  await expect
    .poll(async () => {
      const gone = new AbortController();
      const { status } = await ask(eve, '', {}, gone.signal);
      gone.abort();
      return status;
    })
    .toBe(200);
});

test('a stream ends when its token is revoked, and others go on', async () => {
  const leaver = await tokenOf('mia');
  const heard = await listen(leaver);
  const other = await listen(bob, '?kinds=task');
  expect((await own('/operations/revoke_token', { jti: leaver.jti })).status).toBe(200);
  await expect.poll(() => heard.ended(), { timeout: 10_000 }).toBe(true);
  expect((await ask(leaver)).status).toBe(401);
  await make('goes on', 'bob');
  expect(titles(await other.until(1))).toEqual(['goes on']);
  expect(other.ended()).toBe(false);
});

test('a hub that stops ends its streams, and does not wait for them', async () => {
  const { runtime } = tinyRuntime(tinyHubs(), {
    followEvents: async (_principal, { signal }) =>
      (async function* () {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      })(),
  });
  const server = await startHttp(runtime, OPTIONS);
  const answer = await fetch(`http://127.0.0.1:${server.port}/api/v1/events`);
  const never_ms = 2 ** 31 - 1;
  await Promise.all([server.close(never_ms), answer.text()]);
});

const EVENT_CHARS = 64 * 1024;

/** A hub whose events never stop, each larger than what a connection buffers; how many it was asked for. */
async function endless() {
  let told = 0;
  const followEvents = async (): Promise<AsyncIterable<StoreEvent>> =>
    (async function* () {
      for (;;) {
        // Lets everything else have its turn.
        await new Promise((resolve) => setImmediate(resolve));
        told++;
        yield { id: String(told), event: 'memory', data: { text: 'x'.repeat(EVENT_CHARS) } };
      }
    })();
  const { runtime } = tinyRuntime(tinyHubs(), { followEvents });
  const server = await startHttp(runtime, OPTIONS);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`http://127.0.0.1:${server.port}/api/v1/events`, resolve).on('error', reject);
  });
  answer.on('error', () => {});
  return { told: () => told, answer, stop: () => server.close(0) };
}

test('a reader that stops reading is told no more until it goes on', async () => {
  const { told, answer, stop } = await endless();
  answer.pause();
  // What fits into the buffers of both ends and of the system between them; then nothing.
  let before = -1;
  await expect
    .poll(
      () => {
        const same = told() === before;
        before = told();
        return same && before > 0;
      },
      { interval: 300, timeout: 20_000 },
    )
    .toBe(true);
  expect(before * EVENT_CHARS).toBeLessThan(limits.request_body_max_bytes * 4);
  answer.resume();
  await expect.poll(told, { timeout: 10_000 }).toBeGreaterThan(before + 100);
  answer.destroy();
  await stop();
});

test('waiting for a slow reader again and again leaves no listeners behind', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on('warning', note);
  const { told, answer, stop } = await endless();
  answer.resume();
  await expect.poll(told, { timeout: 20_000 }).toBeGreaterThan(300);
  answer.destroy();
  await stop();
  process.off('warning', note);
  expect(warnings.map(({ name, message }) => `${name}: ${message}`)).toEqual([]);
});
