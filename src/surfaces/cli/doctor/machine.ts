// Doctor's checks of the machine: Node, the data directory, the disk, the clock, files of secrets and of keys.
import { accessSync, constants, existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { HealthCheck } from '../../runtime.ts';

const NODE_MAJOR_MIN = 24;
const MIB = 1024 * 1024;
const SPACE_WARNING_MB = 1024;
const SPACE_MIN_MB = 100;
/** Clocks of file systems and machines differ a little. */
const CLOCK_TOLERANCE_MS = 2 * 60 * 1000;

export function checkNode(version: string): HealthCheck {
  const recent = Number(version.split('.')[0]) >= NODE_MAJOR_MIN;
  if (recent) return { name: 'node', status: 'ok', detail: version };
  return { name: 'node', status: 'failed', detail: version, fix: `Use Node.js ${NODE_MAJOR_MIN} or later.` };
}

/** The directory, or the nearest one above it that exists, can be written to and searched. */
export function checkDataDirectory(data_dir: string): HealthCheck {
  const name = 'data directory';
  const place = nearestExisting(data_dir);
  try {
    if (!statSync(place).isDirectory()) {
      return {
        name,
        status: 'failed',
        detail: `${place} is not a directory`,
        fix: 'Choose another HAIVEMIND_DATA_DIR.',
      };
    }
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch {
    const fix = `Make it writable for this user (chown -R "$USER" '${place}'), or choose another HAIVEMIND_DATA_DIR.`;
    return { name, status: 'failed', detail: `${place} cannot be written to`, fix };
  }
  if (place !== data_dir) return { name, status: 'ok', detail: `${data_dir} (made at the first start)` };
  const unwritable = filesOf(data_dir).find((file) => !isWritable(file));
  if (unwritable === undefined) return { name, status: 'ok', detail: data_dir };
  return { name, status: 'failed', detail: `${unwritable} cannot be written to`, fix: `chmod u+rw '${unwritable}'` };
}

export function checkDiskSpace(data_dir: string): HealthCheck {
  const name = 'disk space';
  const disk = statfsSync(nearestExisting(data_dir));
  const free_mb = Math.floor((disk.bavail * disk.bsize) / MIB);
  if (free_mb >= SPACE_WARNING_MB) return { name, status: 'ok', detail: `${free_mb} MB free` };
  const status = free_mb < SPACE_MIN_MB ? 'failed' : 'degraded';
  return {
    name,
    status,
    detail: `${free_mb} MB free`,
    fix: 'Free some space, or move the data directory to another disk.',
  };
}

/** A clock that was set back makes new memories older than old ones: files from the future give it away. */
export function checkClock(data_dir: string, now_ms: number): HealthCheck {
  const name = 'clock';
  const newest_ms = Math.max(0, ...filesOf(data_dir).map((file) => statSync(file).mtimeMs));
  if (newest_ms <= now_ms + CLOCK_TOLERANCE_MS) return { name, status: 'ok', detail: new Date(now_ms).toISOString() };
  return {
    name,
    status: 'degraded',
    detail: `it is ${new Date(now_ms).toISOString()}, but the store was written ${new Date(newest_ms).toISOString()}`,
    fix: 'Set the clock of this machine (timedatectl set-ntp true).',
  };
}

const READABLE_BY_OTHERS = 0o077;

/** Files the configuration takes secrets from: nobody else may read them. None where it names none, and on Windows. */
export function checkSecretFiles(
  files: readonly { readonly field: string; readonly path: string }[],
  platform: NodeJS.Platform = process.platform,
): HealthCheck[] {
  if (platform === 'win32') return [];
  return files.map(({ field, path }) => {
    const name = 'secret file';
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & READABLE_BY_OTHERS) === 0)
      return { name, status: 'ok', detail: `${field}: only its owner reads ${path}` };
    return {
      name,
      status: 'degraded',
      detail: `${field}: others can read ${path} (${shownMode(mode)})`,
      fix: `chmod 600 '${path}'`,
    };
  });
}

/** Whoever reads the key file can open what the store seals: it is refused then. None yet is well, it is made when needed. */
export function checkKeyFile(path: string, platform: NodeJS.Platform = process.platform): HealthCheck {
  const name = 'key file';
  const mode = statSync(path, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return { name, status: 'ok', detail: `${path} (made with the first secret)` };
  if (platform === 'win32' || (mode & READABLE_BY_OTHERS) === 0) return { name, status: 'ok', detail: path };
  return {
    name,
    status: 'failed',
    detail: `others have access to ${path} (${shownMode(mode)})`,
    fix: `chmod 600 '${path}'`,
  };
}

function shownMode(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, '0');
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

function filesOf(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(directory, entry.name));
}

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
