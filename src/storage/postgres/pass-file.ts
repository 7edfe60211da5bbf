// Passwords from ~/.pgpass, as libpq reads it (PostgreSQL documentation, "The Password File"). The driver can do it too,
// but says on standard error each time that it will not much longer.
import { readFileSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

const FIELD = String.raw`((?:\\.|[^:\\])*)`;
/** host:port:database:user:password */
const LINE = new RegExp(`^${FIELD}:${FIELD}:${FIELD}:${FIELD}:(.+)$`);
const READABLE_BY_OTHERS = 0o077;

/** The password of the first line that fits the URL. Undefined without one, and where others may read the file. */
export function passFilePassword(url: URL, env: Environment = process.env): string | undefined {
  const wanted = wantedOf(url, env);
  for (const line of linesOf(env)) {
    const [, ...fields] = LINE.exec(line) ?? [];
    const password = fields.pop();
    if (line.startsWith('#') || password === undefined) continue;
    if (fields.every((field, i) => field === '*' || plain(field) === wanted[i])) return plain(password);
  }
  return undefined;
}

function wantedOf(url: URL, env: Environment): string[] {
  const user = decoded(url.username) || env.PGUSER || userInfo().username;
  const host = url.searchParams.get('host') || decoded(url.hostname).replace(/^\[|\]$/g, '');
  const database = decoded(url.pathname.slice(1)) || env.PGDATABASE || user;
  const port = url.searchParams.get('port') || url.port || env.PGPORT || '5432';
  return [host || env.PGHOST || 'localhost', port, database, user];
}

/** A lone % is taken as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function linesOf(env: Environment): string[] {
  const path =
    env.PGPASSFILE ||
    (process.platform === 'win32'
      ? join(env.APPDATA ?? homedir(), 'postgresql', 'pgpass.conf')
      : join(homedir(), '.pgpass'));
  try {
    const found = statSync(path);
    if (!found.isFile()) return [];
    if (process.platform !== 'win32' && (found.mode & READABLE_BY_OTHERS) !== 0) return [];
    return readFileSync(path, 'utf8').split(/\r?\n/);
  } catch {
    // Without the file there is nothing in it; the server says whether it wants a password.
    return [];
  }
}

function plain(field: string): string {
  return field.replace(/\\(.)/g, '$1');
}
