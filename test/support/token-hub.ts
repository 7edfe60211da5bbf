// A hub that trusts nobody, with tokens of any user, asked by hand: for tests of who a request is taken for.
import type { Principal } from '../../src/kernel/operation.ts';
import { type HttpServer, startHttp } from '../../src/surfaces/http/server.ts';
import { type RawAnswer, rawAsk } from './raw-http.ts';
import { type TinyHubs, tinyHubs } from './tiny-hubs.ts';
import { type TinyRuntime, tinyRuntime } from './tiny-runtime.ts';
import { type TokenBook, tokenBook } from './token-book.ts';

export const OPTIONS = { host: '127.0.0.1', port: 0, trustLoopback: false, allowedHosts: [], recheckMs: 20 };
export const HEADERS = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

export interface TokenHub extends AsyncDisposable {
  readonly hubs: TinyHubs;
  readonly book: TokenBook;
  readonly tiny: TinyRuntime;
  readonly http: HttpServer;
  readonly base: string;
  /** Resources nobody but their reader may read. */
  readonly readers: Map<string, string>;
  ask(path: string, headers?: Record<string, string>): Promise<Response>;
  raw(path: string, headers: Record<string, string | string[]>, port?: number): Promise<RawAnswer>;
  rpc(headers: Record<string, string>, message: object, path?: string): Promise<Response>;
  /** Begins an MCP session; resolves with the header that names it. */
  openSession(token: string): Promise<Record<string, string>>;
  /** Whom the last operation ran for. */
  lastPrincipal(): Principal | undefined;
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

export const INITIALIZE = {
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
};
export const call = (name: string, input: object) => ({ method: 'tools/call', params: { name, arguments: input } });
export const WHOAMI = call('wait_for_gate', { gate: 'none' });

export async function startTokenHub(): Promise<TokenHub> {
  const readers = new Map<string, string>();
  const hubs = tinyHubs();
  const book = tokenBook();
  const tiny = tinyRuntime(hubs, {
    identities: book.identities,
    mayReadResource: async (uri, principal) => readers.get(uri) === principal.user_id,
  });
  const http = await startHttp(tiny.runtime, OPTIONS);
  const base = `http://127.0.0.1:${http.port}`;
  const rpc: TokenHub['rpc'] = (headers, message, path = '/mcp') => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, ...message });
    return fetch(`${base}${path}`, { method: 'POST', headers: { ...HEADERS, ...headers }, body });
  };
  return {
    hubs,
    book,
    tiny,
    http,
    base,
    readers,
    ask: (path, headers = {}) => fetch(`${base}${path}`, { headers }),
    raw: (path, headers, port = http.port) => rawAsk(port, path, headers),
    rpc,
    async openSession(token) {
      const opened = await rpc(bearer(token), INITIALIZE);
      await opened.text();
      const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
      await rpc({ ...bearer(token), ...session }, { method: 'notifications/initialized', id: undefined });
      return session;
    },
    lastPrincipal: () => tiny.records.at(-1)?.ctx.principal,
    [Symbol.asyncDispose]: () => http.close(),
  };
}
