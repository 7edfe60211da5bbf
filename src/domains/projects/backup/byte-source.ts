// Bytes that arrive in pieces, taken as lines and as sections of a known length.

export interface ByteSource {
  /** The next line without its end; undefined where the source ends, or `max_bytes` are over, before there is one. */
  line(max_bytes: number): Promise<Buffer | undefined>;
  /** The next `length` bytes in pieces; throws what `short` makes where the source ends before. */
  section(length: number, short: () => Error): AsyncGenerator<Buffer>;
  /** True where nothing is left. */
  ended(): Promise<boolean>;
  /** Bytes taken so far. */
  readonly taken: number;
}

export function byteSource(pieces: AsyncIterable<Uint8Array>): ByteSource {
  const iterator = pieces[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  let done = false;
  let taken = 0;

  /** Makes `rest` longer; false at the end. */
  async function more(): Promise<boolean> {
    while (!done) {
      const next = await iterator.next();
      if (next.done) done = true;
      else if (next.value.length > 0) {
        const piece = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
        rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
        return true;
      }
    }
    return false;
  }

  function take(length: number): Buffer {
    const bytes = rest.subarray(0, length);
    rest = rest.subarray(length);
    taken += length;
    return bytes;
  }

  return {
    async line(max_bytes) {
      for (;;) {
        const end = rest.indexOf(0x0a);
        if (end > max_bytes || (end < 0 && rest.length > max_bytes)) return undefined;
        if (end >= 0) return take(end + 1).subarray(0, -1);
        if (!(await more())) return undefined;
      }
    },
    async *section(length, short) {
      for (let left = length; left > 0; ) {
        if (rest.length === 0 && !(await more())) throw short();
        const bytes = take(Math.min(left, rest.length));
        left -= bytes.length;
        yield bytes;
      }
    },
    async ended() {
      return rest.length === 0 && !(await more());
    },
    get taken() {
      return taken;
    },
  };
}

/** A whole section as one buffer. */
export async function wholeSection(source: ByteSource, length: number, short: () => Error): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source.section(length, short)) pieces.push(piece);
  return Buffer.concat(pieces);
}
