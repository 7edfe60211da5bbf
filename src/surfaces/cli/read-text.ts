// `-` reads a value from standard input, `@path` from a file; `@@` at the start stands for one `@`.
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { failure } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { CliIo } from './contract.ts';

/** Resolves one value as given on the command line. Rejects with `not_found`, `limit_exceeded` or `invalid_input`. */
export async function readText(text: string, io: Pick<CliIo, 'stdin' | 'cwd'>): Promise<string> {
  if (text === '-') return decode(await collect(io.stdin, 'standard input'), 'standard input');
  if (!text.startsWith('@') || text === '@') return text;
  if (text.startsWith('@@')) return text.slice(1);
  const path = resolve(io.cwd, text.slice(1));
  return decode(await readFileOf(path, text), path);
}

async function readFileOf(path: string, given: string): Promise<Buffer> {
  try {
    const file = await open(path);
    return await collect(file.createReadStream(), path);
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string' || !('syscall' in cause))
      throw cause;
    throw failure(
      cause.code === 'ENOENT' ? 'not_found' : 'invalid_input',
      `${path} cannot be read: ${cause.code}.`,
      `@ at the start of a value names a file; write @${given} for the text itself.`,
      { cause },
    );
  }
}

async function collect(source: AsyncIterable<Uint8Array>, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.byteLength;
    if (bytes > limits.request_body_max_bytes) {
      throw failure(
        'limit_exceeded',
        `${name} is larger than ${limits.request_body_max_bytes} bytes.`,
        'Load large material with `haivemind import`, which splits it.',
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer, name: string): string {
  try {
    // A final line break belongs to the file or the shell, not to the value.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (cause) {
    throw failure('invalid_input', `${name} is not UTF-8 text.`, 'Convert it to UTF-8 first.', { cause });
  }
}
