// Where a hub listens for other processes of the same user. Loads nothing heavy: the proxy process needs it too.
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { failure } from '../../kernel/errors.ts';

/** Unix socket paths end at 104 (macOS) or 108 (Linux) bytes; a longer one is cut without a word. */
const SOCKET_PATH_MAX_BYTES = 100;

/** Path of the hub's socket for a data directory; a named pipe on Windows. Creates nothing. */
export function hubSocketPath(data_dir: string): string {
  const absolute = resolve(data_dir);
  const name = createHash('sha256').update(absolute).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\haivemind-${name}`;
  const direct = join(absolute, 'hub.sock');
  if (Buffer.byteLength(direct) <= SOCKET_PATH_MAX_BYTES) return direct;
  return join(shortDirectory(), `${name}.sock`);
}

/**
 * Makes the short directory where the path needs one, else the data directory, which nobody has made yet where the
 * store is on PostgreSQL. Throws `forbidden` where somebody else owns the short one: a socket in a directory of another
 * user could be replaced by theirs; `config_invalid` where the data directory cannot be made.
 */
export function prepareSocketDirectory(socket_path: string): void {
  if (process.platform === 'win32') return;
  const directory = shortDirectory();
  if (!socket_path.startsWith(`${directory}/`)) {
    makeDataDirectory(dirname(socket_path));
    return;
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return;
  throw failure(
    'forbidden',
    `The directory for the hub's socket, ${directory}, is not a private directory of this user.`,
    'Remove it, or choose a data directory with a shorter path.',
  );
}

function makeDataDirectory(data_dir: string): void {
  try {
    if (!existsSync(data_dir)) mkdirSync(data_dir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw failure(
      'config_invalid',
      `The data directory ${data_dir} cannot be made.`,
      'Choose another one (HAIVEMIND_DATA_DIR), or let this user write there.',
      { cause },
    );
  }
}

function shortDirectory(): string {
  return join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), `haivemind-${process.getuid?.() ?? 'user'}`);
}
