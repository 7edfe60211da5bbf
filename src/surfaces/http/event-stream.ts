// What open streams of events have in common, whatever they carry.
import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { limits } from '../../kernel/limits.ts';

/** Comments keep proxies from ending a quiet stream, and find out that the client is gone. */
export function keepStreamAlive({ raw }: Pick<FastifyReply, 'raw'>): void {
  const heartbeat = setInterval(() => {
    // A client that stopped reading without hanging up would fill the memory.
    if (raw.writableLength > limits.request_body_max_bytes) raw.destroy();
    else raw.write(': keep-alive\n\n');
  }, limits.sse_keep_alive_ms);
  raw.once('close', () => clearInterval(heartbeat));
}

/** Resolves when more may be written, or the client is gone. Leaves no listener behind, however often it is asked. */
export async function roomToWrite({ raw }: Pick<FastifyReply, 'raw'>): Promise<void> {
  if (raw.destroyed || !raw.writableNeedDrain) return;
  const over = new AbortController();
  const { signal } = over;
  try {
    await Promise.race([once(raw, 'drain', { signal }), once(raw, 'close', { signal })]);
  } finally {
    over.abort();
  }
}

/** The headers of an answer that is written past the framework. */
export function headersOf(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([key, value]) => [key, String(value)]));
}
