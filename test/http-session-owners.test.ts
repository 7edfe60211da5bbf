// What belongs to a credential over time: sessions of two users, open streams that end with it, news only readers hear.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startHttp } from '../src/surfaces/http/server.ts';
import { type Reading, read } from './support/raw-http.ts';
import { tinyRuntime } from './support/tiny-runtime.ts';
import {
  bearer,
  call,
  HEADERS,
  INITIALIZE,
  OPTIONS,
  startTokenHub,
  type TokenHub,
  WHOAMI,
} from './support/token-hub.ts';

let hub: TokenHub;
beforeAll(async () => {
  hub = await startTokenHub();
});
afterAll(() => hub[Symbol.asyncDispose]());
beforeEach(() => void hub.book.away.splice(0));

describe('a session', () => {
  it('is unknown to another user, whatever it sends', async () => {
    const session = await hub.openSession(hub.book.give('ada'));
    const bob = { ...bearer(hub.book.give('bob')), ...session };
    const unknown = { ...bob, 'mcp-session-id': crypto.randomUUID() };
    for (const message of [WHOAMI, { method: 'tools/list' }, INITIALIZE]) {
      const [stolen, absent] = await Promise.all([hub.rpc(bob, message), hub.rpc(unknown, message)]);
      expect(stolen.status).toBe(404);
      expect([stolen.status, await stolen.text()]).toEqual([absent.status, await absent.text()]);
    }
    expect((await hub.ask('/mcp', { ...HEADERS, ...bob })).status).toBe(404);
    expect((await fetch(`${hub.base}/mcp`, { method: 'DELETE', headers: { ...HEADERS, ...bob } })).status).toBe(404);
    expect((await hub.rpc({ ...bearer(hub.book.give('ada')), ...session }, { method: 'tools/list' })).status).toBe(200);
  });

  it('asks each request for its own credential', async () => {
    const admin = hub.book.give('ada', { admin: true, agent_id: 'chief' });
    const session = await hub.openSession(admin);
    const text = async (token: string, message: object) =>
      (await hub.rpc({ ...bearer(token), ...session }, message)).text();
    expect(await text(admin, WHOAMI)).toContain('"opened":"none"');
    expect(hub.lastPrincipal()).toMatchObject({ user_id: 'ada', agent_id: 'chief', credential: { admin: true } });
    expect(await text(hub.book.give('ada'), WHOAMI)).toContain('forbidden');
    expect(
      await text(hub.book.give('ada', { scopes: ['memory.read'] }), call('store_note', { content: 'x' })),
    ).toContain('forbidden');
    expect(await text(hub.book.give('ada', { machine_id: 'm2' }), call('list_notes', {}))).not.toContain('forbidden');
    expect(hub.lastPrincipal()).toMatchObject({ user_id: 'ada', agent_id: 'raw', machine_id: 'm2' });
    hub.book.revoke(admin);
    expect((await hub.rpc({ ...bearer(admin), ...session }, WHOAMI)).status).toBe(401);
  });

  it('over HTTP+SSE too, and also through another hub', async () => {
    const ada = hub.book.give('ada', { admin: true });
    const { stream, endpoint } = await openSse(ada);
    expect((await hub.rpc(bearer(hub.book.give('bob')), WHOAMI, endpoint)).status).toBe(404);
    expect((await hub.rpc(bearer(ada), INITIALIZE, endpoint)).status).toBe(202);
    await stream.until('"protocolVersion"');
    const narrow = bearer(hub.book.give('ada', { scopes: ['memory.read'] }));
    expect((await hub.rpc(narrow, { ...WHOAMI, id: 'first' }, endpoint)).status).toBe(202);
    expect(await stream.until('"first"')).toContain('forbidden');
    const other = tinyRuntime(hub.hubs, { identities: hub.book.identities });
    const there = await startHttp(other.runtime, OPTIONS);
    const post = (token: string, id: string) =>
      fetch(`http://127.0.0.1:${there.port}${endpoint}`, {
        method: 'POST',
        headers: { ...HEADERS, ...bearer(token) },
        body: JSON.stringify({ jsonrpc: '2.0', ...WHOAMI, id }),
      });
    expect((await post(hub.book.give('bob'), 'theft')).status).toBe(404);
    expect((await post(hub.book.give('ada'), 'second')).status).toBe(202);
    expect(await stream.until('"second"')).toContain('forbidden');
    expect((await post(ada, 'third')).status).toBe(202);
    expect(await stream.until('"third"')).toContain('"opened":"none"');
    await stream.cancel();
    await there.close();
  });
});

describe('an open stream', () => {
  const open: [string, (token: string) => Promise<Response>][] = [
    ['GET /mcp', async (token) => hub.ask('/mcp', { ...HEADERS, ...bearer(token), ...(await hub.openSession(token)) })],
    ['GET /sse', (token) => hub.ask('/sse', { ...HEADERS, ...bearer(token) })],
    ['subscriptions/listen', (token) => listen(token, ['haivemind://memory/a'])],
  ];
  it.each(open)('(%s) ends when its token is revoked', async (_name, start) => {
    const [kept, revoked] = [hub.book.give('ada'), hub.book.give('ada')];
    const [staying, ending] = await Promise.all([start(kept), start(revoked)]);
    expect(ending.status).toBe(200);
    hub.book.revoke(revoked);
    await expect(ending.text()).rejects.toThrow();
    const reading = read(staying);
    // Another stream of a revoked credential ends meanwhile: the watch has been round.
    const another = hub.book.give('somebody');
    const answered = await hub.ask('/sse', { ...HEADERS, ...bearer(another) });
    hub.book.revoke(another);
    await answered.text().catch(() => undefined);
    expect(reading.ended()).toBe(false);
    await reading.cancel();
  });
});

describe('news', () => {
  const [ADAS, BOBS] = ['haivemind://memory/adas', 'haivemind://memory/bobs'];
  const LAST = 'haivemind://memory/last';

  /** Announces both, and then something everybody hears of who is still there. */
  function announceAll(user: string): void {
    hub.readers.set(LAST, user);
    for (const uri of [BOBS, ADAS, LAST]) hub.tiny.announce(uri);
  }
  beforeEach(() => {
    hub.readers.set(ADAS, 'ada');
    hub.readers.set(BOBS, 'bob');
  });

  it.each(['/mcp, legacy', 'subscriptions/listen', 'GET /sse'])('(%s) reach only who may read', async (way) => {
    for (const [user, mine, others] of [
      ['ada', ADAS, BOBS],
      ['bob', BOBS, ADAS],
    ] as const) {
      const stream = await subscribed(way, hub.book.give(user), [ADAS, BOBS, LAST]);
      announceAll(user);
      const seen = await stream.until(LAST);
      expect(seen).toContain(mine);
      expect(seen).not.toContain(others);
      // Shared no longer: from that moment on nothing is heard of it.
      hub.readers.set(mine, 'somebody else');
      hub.readers.set(others, user);
      hub.tiny.announce(mine);
      hub.tiny.announce(others);
      expect((await stream.until(others)).split(mine)).toHaveLength(2);
      hub.readers.set(ADAS, 'ada');
      hub.readers.set(BOBS, 'bob');
      await stream.cancel();
    }
  });

  it('are subscribed to with the same answer, whether it is there or not', async () => {
    const token = hub.book.give('ada');
    const session = { ...bearer(token), ...(await hub.openSession(token)) };
    const [hidden, absent] = await Promise.all(
      [BOBS, 'haivemind://memory/never'].map(async (uri) => {
        const answer = await hub.rpc(session, { method: 'resources/subscribe', params: { uri } });
        return [answer.status, await answer.text()];
      }),
    );
    expect(hidden).toEqual(absent);
  });

  async function subscribed(way: string, token: string, uris: string[]): Promise<Reading> {
    if (way === 'subscriptions/listen') {
      const stream = read(await listen(token, uris));
      await stream.until('acknowledged');
      stream.forget();
      return stream;
    }
    if (way === 'GET /sse') {
      const { stream, endpoint } = await openSse(token);
      await hub.rpc(bearer(token), INITIALIZE, endpoint);
      for (const uri of uris)
        await hub.rpc(bearer(token), { id: uri, method: 'resources/subscribe', params: { uri } }, endpoint);
      for (const uri of uris) await stream.until(`"id":"${uri}"`);
      stream.forget();
      return stream;
    }
    const session = { ...bearer(token), ...(await hub.openSession(token)) };
    for (const uri of uris) await (await hub.rpc(session, { method: 'resources/subscribe', params: { uri } })).text();
    return read(await hub.ask('/mcp', { ...HEADERS, ...session }));
  }
});

async function openSse(token: string): Promise<{ stream: Reading; endpoint: string }> {
  const stream = read(await hub.ask('/sse', { ...HEADERS, ...bearer(token) }));
  const text = await stream.until('sessionId=');
  return { stream, endpoint: /data: (\/messages\?sessionId=\S+)/.exec(text)?.[1] ?? '' };
}

function listen(token: string, uris: string[]): Promise<Response> {
  const revision = '2026-07-28';
  const meta = {
    'io.modelcontextprotocol/protocolVersion': revision,
    'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const params = { _meta: meta, notifications: { resourceSubscriptions: uris } };
  const headers = { ...bearer(token), 'mcp-protocol-version': revision, 'mcp-method': 'subscriptions/listen' };
  return hub.rpc(headers, { method: 'subscriptions/listen', params });
}
