// A proxy between a client and a hub that dies and comes back: real sockets, real protocol.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newSessionName } from '../src/surfaces/mcp/handshake.ts';
import { type HubSocket, listenHubSocket } from '../src/surfaces/mcp/hub-socket.ts';
import { connectHub, type Link, runProxy } from '../src/surfaces/mcp/proxy.ts';
import { hubSocketPath } from '../src/surfaces/mcp/socket-path.ts';
import { serveStdioConnection } from '../src/surfaces/mcp/stdio.ts';
import { type TinyRuntime, tinyRuntime } from './support/tiny-runtime.ts';

const hello = { cwd: '/srv/payments', version: '0.0.1', agent_id: 'proxy-test' };
const REJOIN_INTERVAL_MS = 20;
const BACK = 'The hub is back.';
let directory: string;
let path: string;
let tiny: TinyRuntime;
const hubs: HubSocket[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hm-proxy-'));
  path = hubSocketPath(directory);
  tiny = tinyRuntime();
});
afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close(0);
  rmSync(directory, { recursive: true, force: true });
});

async function hub(of: TinyRuntime = tiny): Promise<HubSocket> {
  const started = await listenHubSocket(of.runtime, { path });
  hubs.push(started);
  return started;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: { structuredContent?: Record<string, unknown> };
  readonly error?: { code: number; message: string; data?: unknown };
}

async function client(
  fallback: () => Promise<Link> = () => Promise.reject(new Error('no fallback here')),
  session_name = newSessionName(),
) {
  const named = { ...hello, session_name };
  const link = await connectHub(path, named);
  if (!link) throw new Error('no hub');
  const input = new PassThrough();
  const output = new PassThrough();
  const messages: Message[] = [];
  const notices: string[] = [];
  let rest = '';
  output.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    messages.push(...lines.map((line) => JSON.parse(line) as Message));
  });
  const done = runProxy({
    input,
    output,
    link,
    reconnect: () => connectHub(path, { ...named, resumed: true }),
    rejoin_interval_ms: REJOIN_INTERVAL_MS,
    fallback,
    notice: (text) => void notices.push(text),
  });
  const say = (message: object): void => void input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const answer = async (id: number): Promise<Message> => {
    await expect.poll(() => messages.some((message) => message.id === id), { timeout: 20_000 }).toBe(true);
    return messages.find((message) => message.id === id)!;
  };
  say({
    id: 0,
    method: 'initialize',
    params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
  });
  await answer(0);
  say({ method: 'notifications/initialized' });
  return { say, answer, messages, notices, done, input, link };
}

const call = (id: number, name: string, input: object): object => ({
  id,
  method: 'tools/call',
  params: { name, arguments: input },
});

/** As kill -9 looks from outside: the connections break, the socket file stays. */
function kill(link: Link): void {
  link.readable.destroy();
}

describe('the hub socket', () => {
  it('belongs to this user alone and knows who speaks through it', async () => {
    const server = await hub();
    expect(statSync(server.path).mode & 0o777).toBe(0o600);
    const proxied = await client();
    proxied.say(call(1, 'wait_for_gate', { gate: 'none' }));
    expect((await proxied.answer(1)).result?.structuredContent).toMatchObject({
      agent_id: 'proxy-test',
      transport: 'stdio',
    });
    expect(tiny.records.at(-1)?.ctx.session.project).toBe('payments');
    proxied.input.end();
    await proxied.done;
  });

  it('lets one hub have a data directory, and takes over what a killed one left', async () => {
    await hub();
    await expect(listenHubSocket(tiny.runtime, { path })).rejects.toMatchObject({ code: 'conflict' });
    await hubs.pop()!.close(0);
    await leaveStaleSocket(path);
    await hub();
    expect(await connectHub(path, hello)).toBeDefined();
  });

  it('drops whoever does not shake hands, and refuses unknown toolsets', async () => {
    await hub();
    expect(await talk(path, 'GET / HTTP/1.1\r\n\r\n')).toBe('');
    expect(await talk(path, '{"haivemind":2,"cwd":"/","version":"9"}\n')).toBe('');
    expect(await talk(path, `${'x'.repeat(70_000)}`)).toBe('');
    expect(await connectHub(path, { ...hello, toolsets: ['nope'] })).toBeUndefined();
  });

  it('uses a short path where the data directory’s is too long for a socket', () => {
    const long = hubSocketPath(`/${'very-long/'.repeat(20)}`);
    expect(Buffer.byteLength(long)).toBeLessThan(104);
    expect(long).not.toBe(hubSocketPath(`/${'very-long/'.repeat(21)}`));
  });

  it('is not there when nothing listens', async () => {
    expect(await connectHub(path, hello)).toBeUndefined();
  });
});

describe('a proxy', () => {
  it('answers what was asked before its input ended', async () => {
    await hub();
    const proxied = await client();
    proxied.say(call(1, 'wait_for_gate', { gate: 'late' }));
    await tiny.waiting('late');
    proxied.input.end();
    tiny.openGate('late');
    await proxied.done;
    expect(proxied.messages.find((message) => message.id === 1)?.result).toBeDefined();
  });

  it('gets the answer of a hub that stops in order', async () => {
    const server = await hub();
    const proxied = await client();
    proxied.say(call(1, 'wait_for_gate', { gate: 'closing' }));
    await tiny.waiting('closing');
    const closing = server.close(20_000);
    tiny.openGate('closing');
    expect((await proxied.answer(1)).result?.structuredContent).toMatchObject({ opened: 'closing' });
    await closing;
    proxied.input.end();
    await proxied.done;
  });

  it('tells the client to retry, finds the hub again, and is the same session of the protocol', async () => {
    const first = await hub();
    const proxied = await client();
    proxied.say({ id: 1, method: 'resources/subscribe', params: { uri: 'haivemind://memory/a' } });
    await proxied.answer(1);
    proxied.say(call(2, 'wait_for_gate', { gate: 'lost' }));
    await tiny.waiting('lost');
    await first.close(0);
    expect((await proxied.answer(2)).error?.message).toContain('Send the request again');
    const second = tinyRuntime();
    await hub(second);
    proxied.say(call(3, 'store_note', { content: 'after' }));
    expect((await proxied.answer(3)).result?.structuredContent).toMatchObject({ content: 'after' });
    expect(second.notes.size).toBe(1);
    second.announce('haivemind://memory/a');
    await expect.poll(() => proxied.messages.at(-1)?.method).toBe('notifications/resources/updated');
    expect(proxied.messages.filter((message) => message.id === 0 || message.id === 1)).toHaveLength(2);
    expect(proxied.notices).toEqual([BACK]);
    proxied.input.end();
    await proxied.done;
  });

  it('is the same agent session for every hub, and no other proxy is', async () => {
    const first = await hub();
    const [one, other] = [await client(), await client()];
    const keyOf = async (proxied: typeof one, id: number): Promise<unknown> => {
      proxied.say(call(id, 'wait_for_gate', { gate: 'none' }));
      return (await proxied.answer(id)).result?.structuredContent?.session_key;
    };
    const keys = [await keyOf(one, 1), await keyOf(other, 1)];
    expect(keys[0]).not.toBe(keys[1]);
    await first.close(0);
    await hub(tinyRuntime());
    await expect.poll(() => [one, other].map(({ notices }) => notices)).toEqual([[BACK], [BACK]]);
    expect([await keyOf(one, 2), await keyOf(other, 2)]).toEqual(keys);
    for (const proxied of [one, other]) {
      proxied.input.end();
      await proxied.done;
    }
  });

  it('has a session of its own where it names none, or one that is no name of a proxy', async () => {
    await hub();
    const keys = new Set<unknown>();
    const forged = ['', 'ses_somebody', 'stdio_', '../x', 'x'.repeat(500)];
    const names = [undefined, undefined, ...forged, ...forged];
    for (const session_name of names) {
      const said = await callOnce({ ...hello, ...(session_name === undefined ? {} : { session_name }) });
      keys.add(said.session_key);
      expect(tiny.records.at(-1)?.ctx.session.derived).toBeUndefined();
    }
    expect(keys.size).toBe(names.length);
  });

  it('reaches nobody else’s session by its name', async () => {
    await hub();
    const named = { ...hello, session_name: newSessionName() };
    const mine = await callOnce(named);
    await hubs.pop()!.close(0);
    const theirs = tinyRuntime();
    const { localPrincipal } = theirs.runtime;
    await hub({
      ...theirs,
      runtime: { ...theirs.runtime, localPrincipal: (agent) => ({ ...localPrincipal(agent), user_id: 'other' }) },
    });
    expect((await callOnce(named)).session_key).not.toBe(mine.session_key);
  });

  it('goes back to the hub when it is there again, as the same session, and still hears of changes', async () => {
    const first = await hub();
    const [busy, idle] = [tinyRuntime(), tinyRuntime()];
    const left: TinyRuntime[] = [];
    const served = (own: TinyRuntime) => {
      const session_name = newSessionName();
      return client(async () => {
        const [toServer, fromServer] = [new PassThrough(), new PassThrough()];
        const stdio = serveStdioConnection(own.runtime, { input: toServer, output: fromServer, session_name });
        const close = async (): Promise<void> => {
          await stdio.close(0);
          left.push(own);
        };
        return { readable: fromServer, writable: toServer, close };
      }, session_name);
    };
    const [proxied, witness] = [await served(busy), await served(idle)];
    proxied.say({ id: 1, method: 'resources/subscribe', params: { uri: 'haivemind://memory/a' } });
    await proxied.answer(1);
    await first.close(0);
    const alone = (): number => [proxied, witness].filter(({ notices }) => notices.length === 1).length;
    await expect.poll(alone, { timeout: 20_000 }).toBe(2);
    proxied.say(call(2, 'wait_for_gate', { gate: 'busy' }));
    await busy.waiting('busy');
    const second = tinyRuntime();
    await hub(second);
    // Who waits for an answer stays until it is there, while others go over.
    await expect.poll(() => left).toEqual([idle]);
    busy.openGate('busy');
    const before = (await proxied.answer(2)).result?.structuredContent;
    await expect.poll(() => left).toEqual([idle, busy]);
    expect(proxied.notices.at(-1)).toBe(BACK);
    proxied.say(call(3, 'wait_for_gate', { gate: 'none' }));
    expect((await proxied.answer(3)).result?.structuredContent?.session_key).toBe(before?.session_key);
    expect(second.records).toHaveLength(1);
    witness.input.end();
    second.announce('haivemind://memory/a');
    await expect.poll(() => proxied.messages.at(-1)?.method).toBe('notifications/resources/updated');
    proxied.input.end();
    await proxied.done;
  });

  it('asks again by itself what can be asked twice', async () => {
    const first = await hub();
    const proxied = await client();
    proxied.say(call(1, 'get_note', { note_id: 'slow_1' }));
    await tiny.waiting('slow_1');
    await first.close(0);
    const second = tinyRuntime();
    second.notes.set('slow_1', { note_id: 'slow_1', content: 'found', tags: [] });
    second.openGate('slow_1');
    await hub(second);
    expect((await proxied.answer(1)).result?.structuredContent).toMatchObject({ content: 'found' });
    tiny.openGate('slow_1');
    proxied.input.end();
    await proxied.done;
  });

  it('finds the hub again however often it dies', async () => {
    let current = await hub();
    const proxied = await client();
    for (let round = 1; round <= 5; round++) {
      await current.close(0);
      current = await hub();
      await expect.poll(() => proxied.notices).toHaveLength(round);
      proxied.say(call(round, 'store_note', { content: `round ${round}` }));
      expect((await proxied.answer(round)).result).toBeDefined();
    }
    proxied.input.end();
    await proxied.done;
  });

  it('serves alone when the hub stays away', async () => {
    const own = tinyRuntime();
    const proxied = await withoutHub(async () => {
      const [toServer, fromServer] = [new PassThrough(), new PassThrough()];
      const served = serveStdioConnection(own.runtime, { input: toServer, output: fromServer });
      void served.closed.then(() => fromServer.end());
      return { readable: fromServer, writable: toServer };
    });
    await expect.poll(() => proxied.notices, { timeout: 20_000 }).toHaveLength(1);
    proxied.say(call(1, 'store_note', { content: 'alone' }));
    expect((await proxied.answer(1)).result?.structuredContent).toMatchObject({ content: 'alone' });
    expect(own.notes.size).toBe(1);
    expect(proxied.notices[0]).toContain('serves alone');
    proxied.input.end();
    await proxied.done;
  });

  it('answers what it can no longer pass on, and ends', async () => {
    const proxied = await withoutHub(() => Promise.reject(new Error('store is locked')));
    proxied.say(call(1, 'store_note', { content: 'nowhere' }));
    await proxied.done;
    expect(proxied.messages.find((message) => message.id === 1)?.error).toMatchObject({ data: { retry: true } });
    expect(proxied.notices.at(-1)).toContain('store is locked');
  });

  it('carries large messages both ways', async () => {
    await hub();
    const proxied = await client();
    const content = 'ü'.repeat(9_000);
    for (let id = 1; id <= 200; id++) proxied.say(call(id, 'store_note', { content }));
    await proxied.answer(200);
    proxied.say(call(201, 'list_notes', { limit: 100 }));
    const { notes } = ((await proxied.answer(201)).result?.structuredContent ?? { notes: [] }) as {
      notes: { content: string }[];
    };
    expect(notes).toHaveLength(100);
    expect(notes.every((note) => note.content === content)).toBe(true);
    proxied.input.end();
    await proxied.done;
  });

  it('ends the hub’s side when the client is killed', async () => {
    await hub();
    const proxied = await client();
    kill(proxied.link);
    const other = await client();
    other.input.end();
    await other.done;
  });
});

/** What the hub says of the caller to one call over a connection of its own. */
async function callOnce(said: Parameters<typeof connectHub>[1]): Promise<Record<string, unknown>> {
  const link = await connectHub(path, said);
  if (!link) throw new Error('no hub');
  const lines: string[] = [];
  link.readable.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n')));
  link.readable.resume();
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } };
  for (const message of [{ id: 0, method: 'initialize', params }, call(1, 'wait_for_gate', { gate: 'none' })])
    link.writable.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  await expect.poll(() => lines.some((line) => line.includes('"id":1'))).toBe(true);
  link.readable.destroy();
  const answer = JSON.parse(lines.find((line) => line.includes('"id":1')) ?? '{}') as Message;
  return answer.result?.structuredContent ?? {};
}

/** A client whose hub was closed for good. */
async function withoutHub(fallback: () => Promise<Link>) {
  const server = await hub();
  const proxied = await client(fallback);
  await server.close(0);
  return proxied;
}

function talk(to: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(to, () => socket.write(text));
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(heard));
  });
}

/** A socket file nobody listens on, as after kill -9: closed without the unlinking that close does. */
async function leaveStaleSocket(at: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${at}.new`, resolve));
  const { linkSync } = await import('node:fs');
  linkSync(`${at}.new`, at);
  await new Promise((resolve) => server.close(resolve));
}
