// Time bounds on receiving a body: a sender that stops in the middle must not hold a connection for ever.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';

const watches = new WeakMap<IncomingMessage, NodeJS.Timeout>();

export function declaresBody(headers: IncomingMessage['headers']): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Ends the connection with 408 when the body has not arrived in time. */
export function watchBody(request: IncomingMessage, response: ServerResponse): void {
  if (!declaresBody(request.headers)) return;
  const timer = setTimeout(() => {
    if (!response.headersSent) response.writeHead(408, { connection: 'close' });
    response.end();
    request.socket.destroySoon();
  }, limits.http_request_timeout_ms);
  timer.unref();
  watches.set(request, timer);
  request.once('end', () => clearTimeout(timer));
  request.once('close', () => clearTimeout(timer));
}

/**
 * The body piece by piece, for material whose handling may take longer than any fixed span: here the bound is on each
 * wait for the sender. Throws `limit_exceeded` past `max_bytes` and `cancelled` where the sender stopped.
 */
export async function* bodyPieces(request: IncomingMessage, max_bytes: number): AsyncGenerator<Uint8Array> {
  clearTimeout(watches.get(request));
  const pieces = request[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let received_bytes = 0;
  for (;;) {
    const timer = setTimeout(() => request.destroy(), limits.http_request_timeout_ms);
    const next = await pieces.next().finally(() => clearTimeout(timer));
    if (next.done) return;
    received_bytes += next.value.length;
    if (received_bytes > max_bytes) throw tooLarge(max_bytes);
    yield next.value;
  }
}

export function tooLarge(max_bytes: number): HaivemindError {
  const message = `The material is larger than ${max_bytes} bytes.`;
  return failure('limit_exceeded', message, 'Import it in several parts.');
}
