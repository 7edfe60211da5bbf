// Opening what cannot be opened: each case has its code, its way out, and leaves the data as it was.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openApp, refusalOf } from '../../../test/support/open-app.ts';
import { openDatabase } from '../database.ts';
import { isBusy, sqliteCode, storageError } from './errors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'haivemind-open-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (data_dir: string) => openDatabase({ data_dir, machine_id: 'm', synchronous: 'NORMAL' });

describe('a data directory', () => {
  test('that is a file is refused', async () => {
    const path = join(folder, 'file');
    writeFileSync(path, 'keep me');
    const refusal = await refusalOf(open(path));
    expect(refusal).toMatchObject({ code: 'storage_read_only', hint: expect.stringContaining('HAIVEMIND_DATA_DIR') });
    expect(refusal.message).toContain(path);
    expect(readFileSync(path, 'utf8')).toBe('keep me');
  });

  test('below a file is refused', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await refusalOf(open(join(folder, 'file', 'data')))).toMatchObject({ code: 'storage_read_only' });
  });

  test('behind a link to nowhere is refused', async () => {
    symlinkSync('/proc/self/nowhere/x', join(folder, 'link'));
    expect(await refusalOf(open(join(folder, 'link')))).toMatchObject({ code: 'storage_read_only' });
  });

  test('on a file system that cannot be written is refused', async () => {
    // /proc refuses new folders to everybody, root included.
    expect(await refusalOf(open('/proc/haivemind-data'))).toMatchObject({ code: 'storage_read_only' });
  });

  test('that is open to all holds a store that is not', async () => {
    chmodSync(folder, 0o755);
    const database = await openDatabase({ data_dir: folder, machine_id: 'm' });
    for (const suffix of ['', '-wal', '-shm'])
      expect(statSync(join(folder, `haivemind.db${suffix}`)).mode & 0o777).toBe(0o600);
    await database.close();
  });

  test('that does not exist is made, for its owner alone', async () => {
    const store = await open(join(folder, 'a', 'b'));
    expect(store.engine.file).toBe(join(folder, 'a', 'b', 'haivemind.db'));
    expect(existsSync(join(folder, 'a', 'b', 'haivemind.db'))).toBe(true);
    await store.close();
  });
});

describe('a store file', () => {
  const file = () => join(folder, 'haivemind.db');

  test.each([
    ['text', Buffer.from('This is not a database. '.repeat(500))],
    ['a few bytes', Buffer.from('xx')],
    [
      'random bytes with the right beginning',
      Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(8_000, 0x5a)]),
    ],
  ])('of %s is corrupt, and stays as it is', async (_what, bytes) => {
    writeFileSync(file(), bytes);
    expect(await refusalOf(open(folder))).toMatchObject({
      code: 'storage_corrupt',
      hint: expect.stringContaining('haivemind restore'),
    });
    expect(readFileSync(file()).equals(bytes)).toBe(true);
  });

  test('cut in half is corrupt when it is read', async () => {
    {
      await using app = await openApp({ data_dir: folder });
      for (let i = 0; i < 200; i++) await app.store(`Row ${i} ${'words of it '.repeat(30)}`);
    }
    truncateSync(file(), Math.floor(readFileSync(file()).length / 8192) * 4096);
    const outcome = (async () => {
      await using app = await openApp({ data_dir: folder });
      await app.call('get_recent_memories', { limit: 500 });
    })();
    expect(await refusalOf(outcome)).toMatchObject({ code: 'storage_corrupt' });
  });

  test('that is a folder cannot be opened', async () => {
    const store = await open(join(folder, 'x'));
    await store.close();
    rmSync(join(folder, 'x', 'haivemind.db'));
    symlinkSync(folder, join(folder, 'x', 'haivemind.db'));
    expect(await refusalOf(open(join(folder, 'x')))).toMatchObject({ code: 'storage_read_only' });
  });
});

describe('what the engine throws', () => {
  const thrown = (errcode: number) => Object.assign(new Error('sqlite says no'), { code: 'ERR_SQLITE_ERROR', errcode });

  test.each([
    [5, 'unavailable'],
    [6, 'unavailable'],
    [8, 'storage_read_only'],
    [10, 'storage_full'],
    [13, 'storage_full'],
    [11, 'storage_corrupt'],
    [26, 'storage_corrupt'],
    [14, 'storage_read_only'],
    [5 | (2 << 8), 'unavailable'],
    [10 | (3 << 8), 'storage_full'],
  ])('%i becomes %s, with a way out and the cause', (errcode, code) => {
    const cause = thrown(errcode);
    expect(storageError(cause, '/data/haivemind.db')).toMatchObject({
      code,
      cause,
      hint: expect.stringMatching(/\w{3}/),
    });
  });

  test('other errors stay as they are', () => {
    for (const error of [thrown(1), new Error('x'), 'text', undefined]) expect(storageError(error, 'f')).toBe(error);
    expect(sqliteCode(new TypeError('x'))).toBeUndefined();
    expect(isBusy(thrown(5 | (1 << 8)))).toBe(true);
    expect(isBusy(thrown(13))).toBe(false);
  });

  test('a real lock is a busy one', () => {
    const one = new DatabaseSync(join(folder, 'lock.db'));
    const two = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 });
    one.exec('create table t (x); begin immediate');
    let error: unknown;
    try {
      two.exec('begin immediate');
    } catch (caught) {
      error = caught;
    }
    expect(isBusy(error)).toBe(true);
    one.close();
    two.close();
  });
});
