// A stream of bytes sealed in chunks (AES-256-GCM, kernel/sealing.ts): each is bound to the stream, its place in it and
// whether it is the last, so that chunks that are missing, moved, repeated or cut off do not open.
import { seal, unseal } from '../../../kernel/sealing.ts';
import { type ByteSource, byteSource, wholeSection } from './byte-source.ts';

const CHUNK_BYTES = 64 * 1024;
const LENGTH_BYTES = 4;
/** What sealing adds: format, nonce, tag. */
const OVERHEAD_BYTES = 29;

/** What the chunks of one stream are bound to. */
export type StreamBinding = readonly string[];

export async function* sealStream(
  key: Uint8Array,
  bound: StreamBinding,
  plain: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  let index = 0;
  const sealed = (bytes: Uint8Array, last: boolean): Buffer => {
    const body = seal(key, bytes, [...bound, index++, last ? 'last' : 'more']);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(body.length);
    return Buffer.concat([length, body]);
  };
  let waiting: Buffer[] = [];
  let waiting_bytes = 0;
  for await (const piece of plain) {
    waiting.push(Buffer.from(piece));
    waiting_bytes += piece.length;
    if (waiting_bytes <= CHUNK_BYTES) continue;
    let all = Buffer.concat(waiting);
    // More than a chunk has to be there: the last one is known as such only at the end.
    for (; all.length > CHUNK_BYTES; all = all.subarray(CHUNK_BYTES)) yield sealed(all.subarray(0, CHUNK_BYTES), false);
    waiting = [all];
    waiting_bytes = all.length;
  }
  yield sealed(Buffer.concat(waiting), true);
}

/** Opens what `sealStream` made. Throws `damaged()` where it is not whole, or the key is another. */
export async function* openStream(
  key: Uint8Array,
  bound: StreamBinding,
  source: ByteSource,
  damaged: (cause?: unknown) => Error,
): AsyncGenerator<Buffer> {
  for (let index = 0; ; index++) {
    const length = (await wholeSection(source, LENGTH_BYTES, damaged)).readUInt32BE();
    if (length < OVERHEAD_BYTES || length > CHUNK_BYTES + OVERHEAD_BYTES) throw damaged();
    const body = await wholeSection(source, length, damaged);
    const last = await source.ended();
    let plain: Buffer;
    try {
      plain = unseal(key, body, [...bound, index, last ? 'last' : 'more']);
    } catch (cause) {
      throw damaged(cause);
    }
    yield plain;
    if (last) return;
  }
}

export function sourceOf(pieces: AsyncIterable<Uint8Array>): ByteSource {
  return byteSource(pieces);
}
