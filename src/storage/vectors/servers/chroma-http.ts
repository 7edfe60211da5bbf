// Requests to Chroma: a deadline for connections apart from that for answers, few sockets, and repeats of what may pass.
// It is node:http and not fetch, which waits 10 s for a connection and cannot be told otherwise without its library.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { failure, type HaivemindError } from '../../../kernel/errors.ts';

export interface ChromaHttpSettings {
  /** Base address; a user and password in it are sent as basic authentication. */
  readonly url: string;
  readonly token?: string | undefined;
  /** From the call to the whole answer. */
  readonly timeout_ms: number;
  /** From the call until it has a connection, its turn among the others included. */
  readonly connect_timeout_ms: number;
  /** Waits between two attempts; tests give one that does not wait. */
  readonly wait?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

export interface ChromaRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the base address, with its leading slash. */
  readonly path: string;
  readonly body?: unknown;
  /** Instead of the general one. */
  readonly timeout_ms?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ChromaAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface ChromaHttp extends Disposable {
  /** Without user and password. */
  readonly place: string;
  /** Sends it; every request to Chroma may be repeated. Throws `unavailable` where no usable answer comes. */
  send(request: ChromaRequest): Promise<ChromaAnswer>;
}

const SOCKETS_MAX = 16;
const ATTEMPTS_MAX = 4;
const FIRST_PAUSE_MS = 100;
const PAUSE_MS_MAX = 2_000;
const ANSWER_MAX_BYTES = 64 * 1024 * 1024;
/** Too many requests, and what a server or the proxy before it says while it starts. */
const PASSING = new Set([429, 502, 503, 504]);

interface RawAnswer {
  readonly status: number;
  readonly text: string;
  readonly retry_after: string | undefined;
}

const parseUrl = (url: string): URL => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return parsed;
  throw failure(
    'config_invalid',
    'The address of Chroma is not an http or https URL.',
    'Write storage.chromadb as http://host:port or https://host.',
  );
};

const authHeaders = (url: URL, token: string | undefined): Record<string, string> => {
  if (token !== undefined) return { authorization: `Bearer ${token}`, 'x-chroma-token': token };
  if (url.username === '') return {};
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
};

const readText = async (response: IncomingMessage): Promise<string> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > ANSWER_MAX_BYTES) throw new Error('the answer is too long');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** A pooled connection that the server had closed: the request never arrived. */
const isStale = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');

/** Milliseconds until the next attempt: what the server asks for, else doubling. */
const pauseBefore = (attempt: number, retry_after: string | undefined): number => {
  const asked_s = Number(retry_after ?? Number.NaN);
  return Math.min(PAUSE_MS_MAX, Number.isFinite(asked_s) ? asked_s * 1000 : FIRST_PAUSE_MS * 2 ** attempt);
};

type Transport = (request: ChromaRequest, payload: string | undefined, signal: AbortSignal) => Promise<RawAnswer>;

const createTransport = (
  base: URL,
  headers: Record<string, string>,
  connect_timeout_ms: number,
): { once: Transport; close: () => void } => {
  const secure = base.protocol === 'https:';
  const keep = { keepAlive: true, maxSockets: SOCKETS_MAX };
  const agent = secure ? new HttpsAgent(keep) : new HttpAgent(keep);
  const prefix = base.pathname.replace(/\/+$/, '');
  const target = { hostname: base.hostname.replace(/^\[|\]$/g, ''), port: base.port, agent };

  const once: Transport = async ({ method, path }, payload, signal) => {
    const type = payload === undefined ? {} : { 'content-type': 'application/json' };
    const length = payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = (secure ? httpsRequest : httpRequest)({
      ...target,
      method,
      path: `${prefix}${path}`,
      headers: { accept: 'application/json', ...type, ...length, ...headers },
    });
    // A request that waits for its turn tells nobody that it was destroyed, so the promise is told apart.
    const giveUp = (error: Error) => {
      reject(error);
      request.destroy(error);
    };
    const aborted = () => giveUp(new Error('given up', { cause: signal.reason }));
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    const late = setTimeout(() => giveUp(new Error('no connection in time')), connect_timeout_ms);
    const connected = () => clearTimeout(late);
    request.once('socket', (socket) => {
      if (socket.connecting) socket.once(secure ? 'secureConnect' : 'connect', connected);
      else connected();
    });
    request.once('response', resolve);
    request.on('error', reject);
    request.end(payload);
    try {
      const response = await promise;
      const text = await readText(response);
      return { status: response.statusCode ?? 0, text, retry_after: response.headers['retry-after'] };
    } finally {
      connected();
      signal.removeEventListener('abort', aborted);
    }
  };
  return { once, close: () => agent.destroy() };
};

/** Makes the client; it connects with the first request. Throws `config_invalid` on an address that is none. */
export const createChromaHttp = (settings: ChromaHttpSettings): ChromaHttp => {
  const base = parseUrl(settings.url);
  const place = `${base.origin}${base.pathname.replace(/\/+$/, '')}`;
  const { once, close } = createTransport(base, authHeaders(base, settings.token), settings.connect_timeout_ms);
  const wait = settings.wait ?? (async (ms, signal) => pause(ms, undefined, signal ? { signal } : {}));
  const closing = new AbortController();

  const unavailable = (what: string, cause?: unknown): HaivemindError =>
    failure(
      'unavailable',
      `Chroma at ${place} ${what}.`,
      'Start it (`chroma run`) or correct its address; memories are found by their words meanwhile.',
      cause === undefined ? {} : { cause },
    );

  const attempt = async (request: ChromaRequest, payload: string | undefined): Promise<RawAnswer> => {
    const timeout_ms = Math.min(settings.timeout_ms, request.timeout_ms ?? settings.timeout_ms);
    const timeout = AbortSignal.timeout(timeout_ms);
    const signals = [timeout, closing.signal, ...(request.signal ? [request.signal] : [])];
    const signal = AbortSignal.any(signals);
    const tried = () => once(request, payload, signal);
    try {
      return await tried().catch((error: unknown) => {
        if (isStale(error) && !signal.aborted) return tried();
        throw error;
      });
    } catch (cause) {
      request.signal?.throwIfAborted();
      throw unavailable(timeout.aborted ? `did not answer within ${timeout_ms} ms` : 'cannot be reached', cause);
    }
  };

  return {
    place,
    async send(request) {
      const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
      for (let count = 0; ; count++) {
        request.signal?.throwIfAborted();
        const { status, text, retry_after } = await attempt(request, payload);
        if (!PASSING.has(status)) return { status, body: parseJson(text) };
        if (count + 1 >= ATTEMPTS_MAX) throw unavailable(`answers status ${status}`);
        await wait(pauseBefore(count, retry_after), request.signal);
      }
    },
    [Symbol.dispose]() {
      closing.abort(failure('cancelled', 'The vector index was closed.', 'Nothing to do.'));
      close();
    },
  };
};
