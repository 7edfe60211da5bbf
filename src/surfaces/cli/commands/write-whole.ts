// Writes a file that appears only when it is complete, readable by its owner alone.
import { open, rename, rm } from 'node:fs/promises';
import { failure } from '../../../kernel/errors.ts';

/** Returns the bytes written. Rejects with `unavailable` where the file cannot be written; nothing is left then. */
export async function writeWhole(
  path: string,
  pieces: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): Promise<number> {
  const draft = `${path}.${process.pid}.part`;
  try {
    const file = await open(draft, 'wx', 0o600);
    let bytes = 0;
    try {
      for await (const piece of pieces) bytes += (await file.write(Buffer.from(piece as string))).bytesWritten;
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    return bytes;
  } catch (cause) {
    await rm(draft, { force: true });
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw failure(
      'unavailable',
      `${path} cannot be written: ${cause.message}`,
      'Check the path, its permissions and the free space.',
      { cause },
    );
  }
}
