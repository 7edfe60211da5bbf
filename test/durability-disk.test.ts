// A disk that is full and a directory that cannot be written: clear errors, and nothing that was there is touched.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cliPath, ensureBuilt, makePlace, node24, type Place } from './cli-binary.ts';
import { expectErrorCode, expectPlainError, runMcp } from './support/failed-start.ts';
import { killLeftovers, type McpProcess, type McpProcessOptions, startMcp } from './support/mcp-process.ts';
import { type Seeded, seeded, sentence } from './support/seeded.ts';
import { copyInstall, type Install, snapshot } from './support/snapshot.ts';
import { checkStore } from './support/store-check.ts';

const isRoot = process.getuid?.() === 0;
/** Every Unix has this user id to spare; the name does not matter. */
const NOBODY_UID = 65_534;
const DISK_BYTES = 4 * 1024 * 1024;
const DISK_GROWN_BYTES = 64 * 1024 * 1024;
/** Blocks of 512 bytes: the largest file a limited process may write. */
const FILE_LIMIT_BLOCKS = DISK_BYTES / 512;

/** Ways to make a disk too small, and to give it space again. */
interface SmallDisk {
  readonly data_dir: string;
  /** Words before the program while the disk is small. */
  readonly prefix: readonly string[];
  grow(): void;
  /** Uses up what is left. */
  fill(): void;
  remove(): void;
}

function tmpfsDisk(): SmallDisk {
  const mount_point = mkdtempSync(join(tmpdir(), 'haivemind-disk-'));
  mount(['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', mount_point]);
  const data_dir = join(mount_point, 'data');
  const filler = join(mount_point, 'filler');
  return {
    data_dir,
    prefix: [],
    grow: () => mount(['-o', `remount,size=${DISK_GROWN_BYTES}`, mount_point]),
    fill: () => void spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'], { stdio: 'ignore' }),
    remove() {
      spawnSync('umount', [mount_point]);
      rmSync(mount_point, { recursive: true, force: true });
    },
  };
}

/** A limit on the size of files fails the same system calls and needs no privilege. */
function limitedFiles(): SmallDisk {
  const base = mkdtempSync(join(tmpdir(), 'haivemind-limit-'));
  let blocks = FILE_LIMIT_BLOCKS;
  return {
    data_dir: join(base, 'data'),
    get prefix() {
      return ['/bin/sh', '-c', `ulimit -f ${blocks}; exec "$@"`, 'limited'];
    },
    grow() {
      blocks = DISK_GROWN_BYTES / 512;
    },
    fill() {
      blocks = 1;
    },
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

function mount(args: readonly string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount ${args.join(' ')}: ${stderr}`);
}

function canMount(): boolean {
  if (!isRoot) return false;
  try {
    tmpfsDisk().remove();
    return true;
  } catch {
    return false;
  }
}

const mounts = canMount();
if (!mounts) console.log('skipped: a full file system needs root and the right to mount; the file limit still runs');

let place: Place;
let random: Seeded;

beforeAll(ensureBuilt);
beforeEach(() => {
  place = makePlace();
  random = seeded();
});
afterEach(async () => {
  await killLeftovers();
  await place.remove();
});

describe.each([
  { name: 'a full file system', make: tmpfsDisk, possible: mounts },
  { name: 'a limit on file sizes', make: limitedFiles, possible: process.platform !== 'win32' },
])('$name', ({ make, possible }) => {
  let disk: SmallDisk;
  beforeEach(() => {
    if (possible) disk = make();
  });
  afterEach(async () => {
    await killLeftovers();
    if (possible) disk.remove();
  });

  const options = (): McpProcessOptions => ({
    cli: cliPath,
    env: { ...place.env, HAIVEMIND_DATA_DIR: disk.data_dir },
    cwd: place.home,
    prefix: disk.prefix,
  });

  it.skipIf(!possible)(
    'refuses what does not fit, keeps and serves the rest, and goes on when there is space',
    async () => {
      const mcp = await startMcp(options());
      const { stored, refusals } = await storeUntilFull(mcp);
      expect(stored.length).toBeGreaterThan(0);
      for (const refusal of refusals)
        expect(refusal).toEqual({
          code: 'storage_full',
          message: expect.any(String),
          hint: expect.stringMatching(/space/i),
        });
      for (const { memory_id, content } of stored)
        expect(await mcp.ask('retrieve_memory', { memory_id })).toMatchObject({ content });
      const question = { query: stored[0]?.token ?? '', semantic: false, detail: 'ids' };
      const { results } = await mcp.ask('search_memories', question);
      expect(results).toMatchObject([{ memory_id: stored[0]?.memory_id }]);
      expect((await mcp.endInput()).code).toBe(0);

      disk.grow();
      const next = await startMcp(options());
      await next.ask('store_memory', { content: 'There is space again.', category: 'project' });
      for (const { memory_id, content } of stored)
        expect(await next.ask('retrieve_memory', { memory_id })).toMatchObject({ content });
      await next.endInput();
      expect(checkStore(disk.data_dir)).toMatchObject({ problems: [], living: stored.length + 1 });
    },
  );

  it.skipIf(!possible)('says so where not even an empty store fits', async () => {
    mkdirSync(disk.data_dir);
    disk.fill();
    expectPlainError(await runMcp(options()), /full|space/i);
  });

  it.skipIf(!possible)('leaves a store alone that it cannot open for lack of space', async () => {
    const first = await startMcp(options());
    const { memory_id } = await first.ask('store_memory', { content: 'Here before.', category: 'project' });
    await first.endInput();
    const before = snapshot(disk.data_dir);
    disk.fill();
    const ran = await runMcp(options());
    // Where its locks still fit, it may open the store; where it does not, it says why.
    if (ran.code !== 0) expectPlainError(ran, /full|space/i);
    expect(snapshot(disk.data_dir)['haivemind.db']).toBe(before['haivemind.db']);
    disk.grow();
    const next = await startMcp({ ...options(), prefix: [] });
    expect(await next.ask('retrieve_memory', { memory_id })).toMatchObject({ content: 'Here before.' });
    await next.endInput();
  });
});

interface Stored {
  readonly memory_id: string;
  readonly content: string;
  readonly token: string;
}

/** Stores large memories, four at a time, until twelve were refused. */
async function storeUntilFull(mcp: McpProcess): Promise<{ stored: Stored[]; refusals: unknown[] }> {
  const stored: Stored[] = [];
  const refusals: unknown[] = [];
  const writer = async (): Promise<void> => {
    while (refusals.length < 12) {
      const token = random.word();
      const content = Array.from({ length: 60 }, () => sentence(random, random.word())).join('\n');
      const text = `${token}\n${content}`;
      const { isError, output } = await mcp.call('store_memory', { content: text, category: 'project' });
      if (isError) refusals.push(output);
      else stored.push({ memory_id: String(output.memory_id), content: text, token });
    }
  };
  await Promise.all([writer(), writer(), writer(), writer()]);
  return { stored, refusals };
}

describe('a directory that cannot be written', () => {
  let install: Install | undefined;
  let base: string;
  const uid = isRoot ? NOBODY_UID : undefined;

  beforeAll(() => {
    // Another user must be able to read the program, wherever this clone lies.
    install = copyInstall();
    chmodSync(join(install.cli, '..', '..'), 0o755);
    base = mkdtempSync(join(tmpdir(), 'haivemind-readonly-'));
    chmodSync(base, 0o755);
  });
  afterAll(() => {
    install?.remove();
    // Without root, what cannot be written cannot be removed either.
    for (const name of readdirSync(base)) chmodSync(join(base, name), 0o755);
    rmSync(base, { recursive: true, force: true });
  });

  const reachable = (): boolean =>
    spawnSync(node24, ['--version'], uid === undefined ? {} : { uid, gid: uid }).status === 0;
  if (!reachable()) console.log('skipped: another user cannot run the Node of this clone');

  async function madeStore(name: string): Promise<string> {
    expect(await place.run(['store', 'A fact that stays.'])).toMatchObject({ code: 0 });
    const data_dir = join(base, name);
    cpSync(place.data_dir, data_dir, { recursive: true });
    return data_dir;
  }

  const optionsFor = (data_dir: string): McpProcessOptions => ({
    cli: install?.cli ?? '',
    env: { ...place.env, HOME: base, HAIVEMIND_DATA_DIR: data_dir },
    cwd: base,
    uid,
  });

  it.skipIf(!reachable())('is named, and left as it was', async () => {
    const data_dir = await madeStore('directory');
    chmodSync(data_dir, 0o555);
    const before = snapshot(data_dir);
    expectPlainError(await runMcp(optionsFor(data_dir)), /cannot be written/);
    expect(snapshot(data_dir)).toEqual(before);
  });

  it.skipIf(!reachable())('so is a file that cannot be written in a directory that can', async () => {
    const data_dir = await madeStore('file');
    if (uid !== undefined) chownSync(data_dir, uid, uid);
    chmodSync(join(data_dir, 'haivemind.db'), 0o444);
    const before = snapshot(data_dir);
    expectPlainError(await runMcp(optionsFor(data_dir)), /cannot be written/);
    expect(snapshot(data_dir)).toEqual(before);
  });

  it.skipIf(!reachable())('so is a place where no directory can be made', async () => {
    const locked = join(base, 'locked');
    mkdirSync(locked, { mode: 0o555 });
    expectPlainError(await runMcp(optionsFor(join(locked, 'data'))), /cannot be written/);
  });

  it.skipIf(!mounts)('so is a read-only file system, also for root', async () => {
    const disk = tmpfsDisk();
    try {
      const env = { ...place.env, HAIVEMIND_DATA_DIR: disk.data_dir };
      expect(await place.run(['store', 'A fact that stays.'], { env })).toMatchObject({ code: 0 });
      const before = snapshot(disk.data_dir);
      mount(['-o', 'remount,ro', join(disk.data_dir, '..')]);
      expectPlainError(await place.run(['search', 'fact'], { env }), /cannot be written/);
      expectErrorCode(await place.run(['store', 'Another.', '--json'], { env }), 'storage_read_only');
      expect(snapshot(disk.data_dir)).toEqual(before);
    } finally {
      disk.remove();
    }
  });

  it('so is a file where the directory should be', async () => {
    const file = join(base, 'a-file');
    writeFileSync(file, 'not a directory');
    const ran = await runMcp({ cli: cliPath, env: { ...place.env, HAIVEMIND_DATA_DIR: file }, cwd: place.home });
    expectPlainError(ran, /data directory/);
    expect(statSync(file).size).toBe('not a directory'.length);
  });
});
