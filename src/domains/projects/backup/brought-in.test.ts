// Files that somebody brings to a hub: whose they are, what they may hold, and what they prove.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type App,
  type CallerOptions,
  contextOf,
  DAY_MS,
  openApp,
  refusalOf,
} from '../../../../test/support/open-app.ts';
import { backupFolder, fileOf, makeHarbour, piecesOf } from '../../../../test/support/project-backups.ts';
import { limits } from '../../../kernel/limits.ts';
import type { LocalRuntime } from '../../../surfaces/runtime.ts';
import { canonicalJson, type Json, type JsonRecord } from './canonical.ts';
import { type About, MAGIC } from './manifest.ts';
import { PARTS } from './parts/index.ts';
import { writeContainer } from './write-container.ts';

const EVE = { user: 'eve' };
const ROOT = { user: 'root' };

const ABOUT: About = {
  ...{ backup_id: 'forged_1', project_id: 'proj_forged', kind: 'made', backup_type: 'full', base: null },
  ...{ include_history: true, created_at: '2026-01-01T00:00:00.000Z' },
  made_by: { user_id: 'ada', agent_id: 'tester', machine_id: 'test-machine' },
};

/** A file that is whole, and says and holds what a test wants. */
async function forged(
  about: Partial<About>,
  parts: Readonly<Record<string, readonly JsonRecord[]>> = {},
): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'forged-'));
  async function* all(records: readonly JsonRecord[]) {
    yield records;
  }
  const names = PARTS.map(({ name }) => name).filter((name) => parts[name]);
  const sources = names.map((name) => ({ name, records: all(parts[name] ?? []) }));
  await writeContainer(join(folder, 'file'), { ...ABOUT, ...about }, sources, undefined);
  const bytes = readFileSync(join(folder, 'file'));
  rmSync(folder, { recursive: true });
  return bytes;
}

const files = (app: App) => (app.runtime as LocalRuntime).backupFiles;
const asked = (caller: CallerOptions) => contextOf('test-machine', caller).principal;
const bring = (app: App, bytes: Uint8Array, caller: CallerOptions) => files(app).takeIn(asked(caller), piecesOf(bytes));

async function idsOf(app: App, caller: CallerOptions): Promise<string[]> {
  const { backups } = await app.call('list_project_backups', {}, caller);
  return (backups as { backup_id: string }[]).map(({ backup_id }) => backup_id);
}

test('a file is that of who brought it, whatever it says of its maker', async () => {
  await using app = await openApp();
  await bring(app, await forged({}), EVE);
  expect(await idsOf(app, EVE)).toEqual(['forged_1']);
  expect(await idsOf(app, {})).toEqual([]);
  expect((await app.refusal('restore_project', { backup_id: 'forged_1' })).code).toBe('not_found');
  expect((await refusalOf(files(app).takeOut(asked({}), 'forged_1'))).code).toBe('not_found');
});

test('brought again by its user it is the same, by another it is refused', async () => {
  await using app = await openApp();
  const bytes = await forged({});
  await bring(app, bytes, EVE);
  expect(await bring(app, bytes, EVE)).toMatchObject({ backup_id: 'forged_1' });
  expect((await refusalOf(bring(app, bytes, {}))).code).toBe('conflict');
  expect((await refusalOf(bring(app, await forged({ include_history: false }), EVE))).code).toBe('conflict');
  // As a process leaves it that ends between the row and the file.
  rmSync(join(backupFolder(app), 'forged_1.hbackup'));
  expect(await idsOf(app, EVE)).toEqual(['forged_1']);
  expect(await bring(app, bytes, EVE)).toMatchObject({ backup_id: 'forged_1' });
  expect(readdirSync(backupFolder(app))).toEqual(['forged_1.hbackup']);
  expect(await app.rows('select user_id, kind from project_backups')).toEqual([{ user_id: 'eve', kind: 'found' }]);
});

test('no file stands for another of its id: a lost one cannot be brought by somebody else, nor exchanged on the disk', async () => {
  await using app = await openApp();
  const { project_id } = await makeHarbour(app);
  const { backup_id, file } = await app.call('backup_project', { project_id });
  const other = await forged({ backup_id, project_id });
  rmSync(join(backupFolder(app), file));
  for (const caller of [EVE, {}]) expect((await refusalOf(bring(app, other, caller))).code).toBe('conflict');
  writeFileSync(join(backupFolder(app), file), other);
  expect(await app.refusal('restore_project', { backup_id, restore_mode: 'merge' })).toMatchObject({
    ...{ code: 'storage_corrupt', details: { part: 'end' } },
  });
});

test('an administrator does not take out what is in the backups of others', async () => {
  await using app = await openApp();
  const { project_id } = await makeHarbour(app);
  const { backup_id } = await app.call('backup_project', { project_id });
  const root = { ...asked(ROOT), credential: { kind: 'token', admin: true, scopes: null } } as never;
  expect((await refusalOf(files(app).takeOut(root, backup_id))).code).toBe('not_found');
  expect((await files(app).takeOut(asked({}), backup_id)).bytes).toBeGreaterThan(0);
});

test('what a file says of its time makes no project healthier', async () => {
  await using app = await openApp();
  const { project_id } = await makeHarbour(app);
  app.clock.advance(40 * DAY_MS);
  const backup = async () => {
    const { dimensions } = await app.call('project_health_check', { project_id });
    return (dimensions as { name: string }[]).find(({ name }) => name === 'backup');
  };
  const before = await backup();
  await bring(app, await forged({ project_id, created_at: '2099-01-01T00:00:00.000Z' }), {});
  expect(await backup()).toEqual(before);
  await app.call('backup_project', { project_id });
  expect(await backup()).toMatchObject({ score: 100, evidence: [{ count: 1, ids: [] }] });
});

/** The first lines alone: what a manifest says is looked at before anything else is read. */
function headSaying(records: number, bytes: number): Buffer {
  const sha256 = '0'.repeat(64);
  const part = { name: 'tasks', records, bytes, sha256, stored_bytes: 1, stored_sha256: sha256 };
  const lines = `${MAGIC}\n${canonicalJson({ ...ABOUT, parts: [part] } as unknown as Json)}\n`;
  return Buffer.from(`${lines}${createHash('sha256').update(lines).digest('hex')}\n`);
}

test('more than a hub reads is refused by the manifest, and more than the manifest says as damage', async () => {
  await using app = await openApp();
  for (const [records, bytes] of [
    [limits.project_backup_records_max_count + 1, 1],
    [1, limits.project_backup_plain_max_bytes + 1],
  ] as const)
    expect((await refusalOf(bring(app, headSaying(records, bytes), EVE))).code).toBe('limit_exceeded');
  expect((await refusalOf(bring(app, headSaying(1, 1), EVE))).code).toBe('storage_corrupt');
});

test('a user brings so many files and bytes', async () => {
  await using app = await openApp();
  await bring(app, await forged({}), EVE);
  await app.rows(
    'update project_backups set bytes = ? where backup_id = ?',
    limits.project_backup_uploads_per_user_max_bytes - 100,
    'forged_1',
  );
  const more = await forged({ backup_id: 'forged_2' });
  expect((await refusalOf(bring(app, more, EVE))).code).toBe('limit_exceeded');
  expect(readdirSync(backupFolder(app))).toEqual(['forged_1.hbackup']);
  await bring(app, more, {});
  // What is gone from the disk makes room.
  rmSync(join(backupFolder(app), 'forged_1.hbackup'));
  await bring(app, await forged({ backup_id: 'forged_3' }), EVE);
  expect((await app.rows('select backup_id from project_backups')).length).toBe(3);
});

test('a record that is nested without end, or holds what no store keeps, is damage of its part', async () => {
  await using app = await openApp();
  let deep: Json = 1;
  for (let i = 0; i < 2_000; i++) deep = [deep];
  for (const metadata of [{ deep }, { text: 'a\0b' }, { 'a\0b': 1 }]) {
    const bytes = await forged({}, { tasks: [{ task_id: 'task_1', metadata }] });
    expect(await refusalOf(bring(app, bytes, EVE))).toMatchObject({
      ...{ code: 'storage_corrupt', details: { part: 'tasks' } },
    });
  }
  // A backslash before the letters is no NUL.
  await bring(app, await forged({}, { tasks: [{ task_id: 'task_1', metadata: { text: 'a\\u0000b' } }] }), EVE);
  expect(fileOf(app, 'forged_1.hbackup').length).toBeGreaterThan(0);
});
