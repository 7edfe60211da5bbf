// Lua scripts on Redis: sent once, called by hash afterwards; each runs whole, with nothing in between.
import { createHash } from 'node:crypto';
import { ErrorReply, RESP_TYPES } from '@redis/client';
import type { RedisConnection } from './redis-connection.ts';

export interface Script {
  readonly text: string;
  readonly sha1: string;
}

/** Where `now` is used: the server's clock in microseconds, one for all processes. */
export const NOW_US_LUA = `
local time = redis.call('time')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
`;

/** `may_free`: it only removes or marks, so it must also run where the server's memory is full. */
export function defineScript(body: string, options: { readonly may_free?: boolean } = {}): Script {
  const text = `#!lua${options.may_free ? ' flags=allow-oom' : ''}\n${body.trim()}\n`;
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}

/** Texts in the answer are bytes. */
export const AS_BYTES = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

/** Runs a script; texts in the answer come as bytes. */
export async function runScript<T>(
  client: RedisConnection,
  script: Script,
  keys: readonly string[],
  args: readonly (string | number | Uint8Array)[],
): Promise<T> {
  const rest = [String(keys.length), ...keys, ...args.map(asArgument)];
  try {
    return await client.sendCommand<T>(['EVALSHA', script.sha1, ...rest], AS_BYTES);
  } catch (error) {
    if (!(error instanceof ErrorReply && error.message.startsWith('NOSCRIPT'))) throw error;
    return client.sendCommand<T>(['EVAL', script.text, ...rest], AS_BYTES);
  }
}

const asArgument = (value: string | number | Uint8Array): string | Buffer =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : String(value);
