// Restoring: what each mode does and refuses, all or nothing, history, vaults, increments, and the way back.
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type App, openApp } from '../../../../test/support/open-app.ts';
import {
  backupFolder,
  carryFiles,
  fileOf,
  linesIn,
  makeHarbour,
  piecesOf,
  SECRET_VALUE,
} from '../../../../test/support/project-backups.ts';
import type { JsonRecord } from './canonical.ts';
import { aboutOf } from './manifest.ts';
import { readContainer } from './read-container.ts';
import { writeContainer } from './write-container.ts';

/** The key ring goes its own way, by hand. */
function carryKeys(from: App, to: App): void {
  cpSync(join(from.data_dir, 'keys'), join(to.data_dir, 'keys'), { recursive: true });
}

/** Everything of a project as a backup would have it now. */
async function stateOf(app: App, project_id: string): Promise<Record<string, unknown[]>> {
  const { file } = await app.call('backup_project', { project_id });
  const lines = await linesIn(fileOf(app, file));
  return Object.fromEntries(
    Object.entries(lines).map(([part, texts]) => [part, texts.map((text) => JSON.parse(text))]),
  );
}

const LOGS = ['memory_versions', 'task_history', 'project_activity', 'project_health'];

/** What the records say, without what counts changes, and without logs. */
function saying(state: Record<string, unknown[]>): Record<string, unknown[]> {
  const kept = Object.entries(state).filter(([part]) => !LOGS.includes(part));
  return Object.fromEntries(
    kept.map(([part, records]) => [
      part,
      records.map((record) => {
        const { version, updated_at: _at, updated_by: _by, ...rest } = record as Record<string, unknown>;
        return part.startsWith('vault_') ? { ...rest, version } : rest;
      }),
    ]),
  );
}

test('into an empty hub: all of it the same, history and sealed secrets too, and it goes on from there', async () => {
  await using from = await openApp({ machine_id: 'old' });
  await using to = await openApp({ machine_id: 'new' });
  const { project_id, memory_ids, vault_id } = await makeHarbour(from);
  const made = await from.call('backup_project', { project_id });
  expect(fileOf(from, made.file).includes(SECRET_VALUE)).toBe(false);
  expect(JSON.stringify(await linesIn(fileOf(from, made.file)))).not.toContain(SECRET_VALUE);
  carryFiles(from, to);
  expect(await to.refusal('restore_project', { backup_id: made.backup_id })).toMatchObject({ code: 'unavailable' });
  expect((await to.call('list_projects', {})).projects).toEqual([]);
  carryKeys(from, to);
  expect(await to.call('restore_project', { backup_id: made.backup_id })).toMatchObject({ restored: true });
  const again = await to.call('backup_project', { project_id });
  expect(await linesIn(fileOf(to, again.file))).toEqual(await linesIn(fileOf(from, made.file)));
  expect((await to.call('retrieve_from_vault', { vault_id, key: 'gate', audit_reason: 'test' })).value).toBe(
    `${SECRET_VALUE} 2`,
  );
  const first = await to.call('retrieve_from_vault', { vault_id, key: 'gate', version: 1, audit_reason: 'test' });
  expect(first.value).toBe(`${SECRET_VALUE} 1`);
  expect((await to.call('search_memories', { query: 'crane 3 grease' })).results[0].memory_id).toBe(memory_ids[3]);
  await to.call('update_memory', { memory_id: memory_ids[0], undo: true });
  const [undone] = await to.rows('select content from memories where memory_id = ?', memory_ids[0] ?? '');
  expect(undone).toEqual({ content: 'Crane 0 needs grease every 2 weeks.' });
  await to.call('create_kanban_task', { title: 'One more', project_id });
  const [acts] = await to.rows(
    "select count(*) as acts from audit_log where action = 'restore_project' and result = 'ok'",
  );
  expect(acts).toEqual({ acts: 1 });
});

test('safe only adds: what differs is refused and nothing is touched; a dry run says it', async () => {
  await using app = await openApp();
  const { project_id, memory_ids, task_ids } = await makeHarbour(app);
  const { backup_id } = await app.call('backup_project', { project_id });
  expect(await app.call('restore_project', { backup_id })).toMatchObject({ restored: true, conflicts_total: 0 });
  await app.call('delete_memory', { memory_id: memory_ids[1], hard_delete: true });
  await app.call('delete_memory', { memory_id: memory_ids[1], hard_delete: true }).catch(() => undefined);
  const plan = await app.call('restore_project', { backup_id, dry_run: true });
  expect(plan).toMatchObject({ restored: false, conflicts_total: 0 });
  expect(plan.parts.find(({ part }: { part: string }) => part === 'memories')).toMatchObject({ add: 1, same: 5 });
  app.clock.advance(1_000);
  await app.call('update_kanban_task', { task_id: task_ids[1], title: 'Grease 1 well' });
  const before = await app.rows('select * from tasks order by task_id');
  const refused = await app.refusal('restore_project', { backup_id });
  expect(refused).toMatchObject({ code: 'conflict' });
  expect(refused.details).toMatchObject({
    conflicts: [{ part: 'tasks', key: task_ids[1], reason: 'it is newer here' }],
  });
  expect(await app.rows('select * from tasks order by task_id')).toEqual(before);
  expect(await app.rows('select 1 from memories where memory_id = ?', memory_ids[1] ?? '')).toEqual([]);
});

test('merge takes what is newer of each, and keeps what is newer here', async () => {
  await using from = await openApp({ machine_id: 'old' });
  await using to = await openApp({ machine_id: 'new' });
  const { project_id, memory_ids, task_ids } = await makeHarbour(from);
  const first = await from.call('backup_project', { project_id });
  from.clock.advance(60_000);
  await from.call('update_memory', { memory_id: memory_ids[2], content: 'Crane 2 is new.' });
  await from.call('update_kanban_task', { task_id: task_ids[2], title: 'New there' });
  const second = await from.call('backup_project', { project_id });
  carryFiles(from, to);
  carryKeys(from, to);
  await to.call('restore_project', { backup_id: first.backup_id });
  to.clock.advance(120_000);
  await to.call('update_kanban_task', { task_id: task_ids[2], title: 'Newer here' });
  expect(await to.refusal('restore_project', { backup_id: second.backup_id })).toMatchObject({ code: 'conflict' });
  const done = await to.call('restore_project', { backup_id: second.backup_id, restore_mode: 'merge' });
  const counts = (name: string) => done.parts.find(({ part }: { part: string }) => part === name);
  expect(counts('memories')).toMatchObject({ add: 0, update: 1, keep: 0, same: 5, remove: 0 });
  expect(counts('tasks')).toMatchObject({ update: 0, keep: 1, same: 3 });
  expect((await to.call('retrieve_memory', { memory_id: memory_ids[2] })).content).toBe('Crane 2 is new.');
  const [task] = await to.rows('select title from tasks where task_id = ?', task_ids[2] ?? '');
  expect(task).toEqual({ title: 'Newer here' });
});

test('overwrite makes all as it was, and the state before can be had again', async () => {
  await using app = await openApp();
  const { project_id, memory_ids, task_ids, vault_id } = await makeHarbour(app);
  const first = await stateOf(app, project_id);
  const { backup_id } = await app.call('backup_project', { project_id });
  app.clock.advance(60_000);
  await app.call('update_memory', { memory_id: memory_ids[2], content: 'Crane 2 is new.' });
  await app.call('delete_memory', { memory_id: memory_ids[3] });
  const later = await app.store('Crane 9 came later.', { project_id });
  await app.call('update_kanban_task', { task_id: task_ids[0], status: 'in_progress' });
  await app.call('update_kanban_task', { task_id: task_ids[0], status: 'done' });
  const { task: extra } = await app.call('create_kanban_task', {
    title: 'Later',
    project_id,
    dependencies: [task_ids[1]],
  });
  await app.call('store_in_vault', { vault_id, key: 'gate', value: `${SECRET_VALUE} 3` });
  await app.call('store_in_vault', { vault_id, key: 'later', value: `${SECRET_VALUE} 9` });
  await app.call('update_project', { project_id, description: 'Ships' });
  const second = await stateOf(app, project_id);
  const done = await app.call('restore_project', { backup_id, restore_mode: 'overwrite' });
  expect(done.before_restore_backup_id).toMatch(/^backup_/);
  expect(saying(await stateOf(app, project_id))).toEqual(saying(first));
  expect((await app.call('retrieve_from_vault', { vault_id, key: 'gate', audit_reason: 'test' })).value).toBe(
    `${SECRET_VALUE} 2`,
  );
  expect(
    (await app.call('list_deleted_memories', {})).memories.map((m: { memory_id: string }) => m.memory_id),
  ).toContain(later);
  expect(await app.rows('select 1 from tasks where task_id = ?', extra.task_id)).toEqual([]);
  const [waiting] = await app.rows(
    'select open_dependencies, is_ready from tasks where task_id = ?',
    task_ids[3] ?? '',
  );
  expect(waiting).toEqual({ open_dependencies: 1, is_ready: 0 });
  const back = { backup_id: done.before_restore_backup_id, restore_mode: 'overwrite' };
  await app.call('restore_project', back);
  expect(saying(await stateOf(app, project_id))).toEqual(saying(second));
  expect((await app.call('retrieve_from_vault', { vault_id, key: 'gate', audit_reason: 'test' })).value).toBe(
    `${SECRET_VALUE} 3`,
  );
});

test('a dry run of each mode changes nothing', async () => {
  await using app = await openApp();
  const { project_id, memory_ids } = await makeHarbour(app);
  const { backup_id } = await app.call('backup_project', { project_id });
  app.clock.advance(1_000);
  await app.call('update_memory', { memory_id: memory_ids[2], content: 'Crane 2 is new.' });
  await app.store('Crane 9 came later.', { project_id });
  const tables = ['memories', 'tasks', 'projects', 'task_history', 'memory_versions', 'project_backups', 'changes'];
  const all = async () => Promise.all(tables.map((table) => app.rows(`select * from ${table}`)));
  const before = await all();
  const files = readdirSync(backupFolder(app));
  for (const restore_mode of ['safe', 'merge', 'overwrite'])
    expect((await app.call('restore_project', { backup_id, restore_mode, dry_run: true })).restored).toBe(false);
  expect(await all()).toEqual(before);
  expect(readdirSync(backupFolder(app))).toEqual(files);
});

test('increments carry what changed and what went, and need the files they add to', async () => {
  await using from = await openApp({ machine_id: 'old' });
  await using to = await openApp({ machine_id: 'new' });
  const { project_id, memory_ids, task_ids } = await makeHarbour(from);
  const full = await from.call('backup_project', { project_id });
  from.clock.advance(1_000);
  await from.call('update_memory', { memory_id: memory_ids[2], content: 'Crane 2 is new.' });
  await from.call('delete_memory', { memory_id: memory_ids[3] });
  const one = await from.call('backup_project', { project_id, backup_type: 'incremental' });
  expect(one).toMatchObject({ base_backup_id: full.backup_id, records: { memories: 1, tasks: 0 } });
  from.clock.advance(1_000);
  await from.call('update_kanban_task', { task_id: task_ids[2], title: 'Grease 2 well' });
  const two = await from.call('backup_project', { project_id, backup_type: 'incremental' });
  expect(two).toMatchObject({ base_backup_id: one.backup_id, records: { memories: 0, tasks: 1 } });
  carryFiles(from, to);
  carryKeys(from, to);
  await to.call('restore_project', { backup_id: two.backup_id });
  const again = await to.call('backup_project', { project_id });
  const whole = await from.call('backup_project', { project_id });
  const versions = ({ memory_versions: _, ...rest }: Record<string, string[]>) => rest;
  expect(versions(await linesIn(fileOf(to, again.file)))).toEqual(versions(await linesIn(fileOf(from, whole.file))));
});

test('all or nothing: what the store itself refuses undoes the rest', async () => {
  await using from = await openApp({ machine_id: 'old' });
  await using to = await openApp({ machine_id: 'new' });
  const { project_id } = await makeHarbour(from);
  const { file } = await from.call('backup_project', { project_id });
  carryKeys(from, to);
  // Two memories of one import: the unique index of what was imported has the last word.
  const backup_id = await rewritten(from, file, to, (part, records) => {
    if (part !== 'memories') return records;
    return records.map((record, i) => (i < 4 ? record : { ...record, external_id: 'import:1' }));
  });
  const refused = await to.refusal('restore_project', { backup_id });
  // PostgreSQL takes it for a race against another hub first.
  expect(['conflict', 'unavailable']).toContain(refused.code);
  for (const table of ['projects', 'memories', 'tasks', 'task_history', 'vaults', 'vault_keys', 'changes'])
    expect(await to.rows(`select count(*) as count from ${table}`)).toEqual([{ count: 0 }]);
});

test('a file that is whole and says what cannot be is refused before anything is touched', async () => {
  await using from = await openApp({ machine_id: 'old' });
  await using to = await openApp({ machine_id: 'new' });
  const { project_id } = await makeHarbour(from);
  const { file } = await from.call('backup_project', { project_id });
  carryKeys(from, to);
  type Change = Parameters<typeof rewritten>[3];
  const on =
    (name: string, fields: JsonRecord): Change =>
    (part, records) =>
      part === name ? records.map((record, i) => (i === 0 ? { ...record, ...fields } : record)) : records;
  const cases: readonly (readonly [Change, object])[] = [
    [on('memories', { importance: 'much' }), { code: 'storage_corrupt', details: { part: 'memories' } }],
    [on('memories', { extra: 1 }), { code: 'storage_corrupt', details: { part: 'memories' } }],
    [on('tasks', { status: 'floating' }), { code: 'storage_corrupt', details: { part: 'tasks' } }],
    [on('tasks', { project_id: 'proj_other' }), { code: 'storage_corrupt', details: { part: 'tasks' } }],
    [on('task_history', { task_id: 'task_none' }), { code: 'storage_corrupt', details: { part: 'task_history' } }],
    [on('memories', { user_id: 'bob' }), { code: 'conflict' }],
    [
      (part, records) => (part === 'memories' ? [...records, { ...records[0], memory_id: 'mem_zzz' }] : records),
      { code: 'conflict' },
    ],
    [on('tasks', { scope: 'team', team_id: 'team_none' }), { code: 'conflict' }],
  ];
  for (const [change, expected] of cases) {
    const backup_id = await rewritten(from, file, to, change);
    expect(await to.refusal('restore_project', { backup_id })).toMatchObject(expected);
    expect(await to.rows('select count(*) as count from changes')).toEqual([{ count: 0 }]);
  }
});

test('tasks that would wait for each other for ever are refused', async () => {
  await using from = await openApp({ machine_id: 'old' });
  await using to = await openApp({ machine_id: 'new' });
  const { project_id, task_ids } = await makeHarbour(from);
  const { file } = await from.call('backup_project', { project_id });
  carryKeys(from, to);
  const backup_id = await rewritten(from, file, to, (part, records) => {
    const back = {
      task_id: task_ids[0] ?? '',
      depends_on_id: task_ids[3] ?? '',
      created_at: '2026-01-01T00:00:00.000Z',
    };
    return part === 'task_dependencies' ? [...records, back] : records;
  });
  const refused = await to.refusal('restore_project', { backup_id });
  expect(refused.details).toMatchObject({ task_ids: [task_ids[0], task_ids[3]].toSorted() });
  expect(await to.rows('select count(*) as count from tasks')).toEqual([{ count: 0 }]);
});

test('only its user, or an administrator, restores it; private memories of others are not in it', async () => {
  await using app = await openApp();
  const { team_id } = await app.call('create_team', { name: 'Yard' });
  await app.call('add_team_member', { team_id, user_id: 'bob', role: 'admin' });
  const { project_id } = await makeHarbour(app, undefined, { team_id });
  await app.store('Bob keeps this to himself.', { project_id }, { user: 'bob' });
  const { backup_id, file } = await app.call('backup_project', { project_id });
  expect(JSON.stringify(await linesIn(fileOf(app, file)))).not.toContain('to himself');
  for (const caller of [{ user: 'bob' }, { user: 'eve' }])
    expect(await app.refusal('restore_project', { backup_id, dry_run: true }, caller)).toMatchObject({
      code: 'not_found',
    });
  expect((await app.call('list_project_backups', {}, { user: 'bob' })).backups).toEqual([]);
  // Bob manages the project: a backup of his own has what he may see.
  const own = await app.call('backup_project', { project_id }, { user: 'bob' });
  const lines = JSON.stringify(await linesIn(fileOf(app, own.file)));
  expect(lines).toContain('to himself');
  expect(lines).not.toContain('Crane 1 needs grease');
});

test('on a hub without the team a project is placed, and becomes the caller\u2019s', async () => {
  await using from = await openApp({ machine_id: 'old' });
  await using to = await openApp({ machine_id: 'new' });
  const { team_id } = await from.call('create_team', { name: 'Yard' });
  const { project_id } = await makeHarbour(from, undefined, { team_id });
  const { backup_id } = await from.call('backup_project', { project_id });
  carryFiles(from, to);
  carryKeys(from, to);
  const refused = await to.refusal('restore_project', { backup_id });
  expect(refused).toMatchObject({ code: 'conflict' });
  expect(JSON.stringify(refused.details)).toContain(`team ${team_id} is not here`);
  const done = await to.call('restore_project', { backup_id, scope: 'shared' });
  expect(done.restored).toBe(true);
  expect(await to.rows('select distinct scope, user_id from tasks')).toEqual([{ scope: 'shared', user_id: 'ada' }]);
});

test('sealed under the key ring it says nothing, and opens only with it', async () => {
  await using from = await openApp({ machine_id: 'old' });
  await using to = await openApp({ machine_id: 'new' });
  const { project_id } = await makeHarbour(from);
  const made = await from.call('backup_project', { project_id, encryption: 'keyring' });
  const bytes = fileOf(from, made.file);
  for (const word of ['Harbour', 'grease', SECRET_VALUE, 'manifest', 'sha256'])
    expect(bytes.includes(word)).toBe(false);
  carryFiles(from, to);
  const closed = await to.refusal('restore_project', { backup_id: made.backup_id });
  expect(closed).toMatchObject({ code: 'unavailable' });
  carryKeys(from, to);
  expect((await to.call('restore_project', { backup_id: made.backup_id })).restored).toBe(true);
});

test('backups are listed, and an id is no path', async () => {
  await using app = await openApp();
  const { project_id } = await makeHarbour(app);
  const { backup_id } = await app.call('backup_project', { project_id });
  const { backups } = await app.call('list_project_backups', { project_id });
  expect(backups).toMatchObject([{ backup_id, project_id, kind: 'made', available: true, made_by: 'ada' }]);
  for (const id of ['a/../../haivemind.db', '..', `x/${backup_id}`])
    expect(['not_found', 'invalid_input']).toContain((await app.refusal('restore_project', { backup_id: id })).code);
  rmSync(backupFolder(app), { recursive: true });
  expect((await app.call('list_project_backups', { project_id })).backups).toMatchObject([{ available: false }]);
  expect(await app.refusal('restore_project', { backup_id })).toMatchObject({ code: 'not_found' });
});

/** The same backup with other records, whole and under a new id, in the directory of another hub. */
async function rewritten(
  from: App,
  file: string,
  to: App,
  change: (part: string, records: readonly JsonRecord[]) => readonly JsonRecord[],
): Promise<string> {
  const reading = readContainer(piecesOf(fileOf(from, file)), () => Promise.reject(new Error('It is sealed.')));
  const parts = new Map<string, JsonRecord[]>();
  let step = await reading.next();
  for (; !step.done; step = await reading.next())
    parts.set(step.value.part, [...(parts.get(step.value.part) ?? []), ...step.value.records]);
  const { manifest } = step.value;
  const backup_id = `rewritten_${++rewrites}`;
  const sources = manifest.parts.map(({ name }) => ({ name, records: batchOf(change(name, parts.get(name) ?? [])) }));
  mkdirSync(backupFolder(to), { recursive: true });
  const path = join(backupFolder(to), `${backup_id}.hbackup`);
  await writeContainer(path, { ...aboutOf(manifest), backup_id }, sources, undefined);
  return backup_id;
}

let rewrites = 0;

async function* batchOf(records: readonly JsonRecord[]) {
  yield records;
}
