// Backups of projects by the command line: out of one hub and into another, encrypted on the way, and killed with -9.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ended, node24, projectRoot, type Ran } from './cli-binary.ts';
import { type App, openApp } from './support/open-app.ts';
import { backupFolder, carryFiles } from './support/project-backups.ts';

const TIMEOUT_MS = 180_000;
const MEMORIES = 400;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'haivemind-project-backup-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** With an app: on the store that it has open. */
function start(data: string, words: readonly string[], app?: App): ChildProcess {
  const { postgres } = app?.config.engines ?? {};
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    HAIVEMIND_LOG_LEVEL: 'silent',
    HAIVEMIND_DATA_DIR: join(folder, data),
    HAIVEMIND_PORT: '0',
    HAIVEMIND_SYNC_PORT: '0',
    ...(postgres ? { HAIVEMIND_DATABASE_URL: postgres.url } : {}),
  };
  return spawn(node24, [join(projectRoot, 'src', 'cli.ts'), ...words], { cwd: folder, env, stdio: 'pipe' });
}

async function run(data: string, ...words: readonly string[]): Promise<Ran> {
  const child = start(data, words);
  child.stdin?.end();
  return ended(child);
}

async function answer(data: string, ...words: readonly string[]) {
  const { code, stdout, stderr } = await run(data, ...words, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

async function makeProject(data: string): Promise<string> {
  const { project_id } = await answer(data, 'project', 'create', 'Harbour');
  const lines = Array.from({ length: MEMORIES }, (_, i) =>
    JSON.stringify({ content: `Crane ${i} of the harbour needs grease.`, project: 'Harbour', tags: [`t${i % 9}`] }),
  );
  writeFileSync(join(folder, 'cranes.jsonl'), lines.join('\n'));
  await answer(data, 'tasks', 'create', 'Grease it', '--project-id', project_id);
  expect((await run(data, 'import', 'cranes.jsonl')).code).toBe(0);
  return project_id;
}

test('to a file and back, straight, through a running hub, and with age', { timeout: TIMEOUT_MS }, async () => {
  const project_id = await makeProject('a');
  const made = await answer('a', 'project', 'backup', 'Harbour', '--out', 'harbour.hbackup');
  expect(statSync(join(folder, 'harbour.hbackup')).mode & 0o777).toBe(0o600);
  expect((await run('a', 'project', 'backup', 'Harbour', '--out', 'harbour.hbackup')).code).not.toBe(0);
  const hub = start('b', ['serve', '--json']);
  const end = ended(hub);
  try {
    await firstLineOf(hub);
    const done = await answer('b', 'project', 'restore', '--file', 'harbour.hbackup');
    expect(done).toMatchObject({ project_id, backup_id: made.backup_id, restored: true });
    const identity = await generateIdentity();
    writeFileSync(join(folder, 'key.txt'), `${identity}\n`);
    const recipient = await identityToRecipient(identity);
    const words = ['project', 'backup', project_id, '--out', 'sealed.age', '--recipient', recipient];
    const sealed = await answer('b', ...words);
    expect(readFileSync(join(folder, 'sealed.age')).toString('latin1')).toMatch(/^age-encryption\.org\/v1/);
    const back = ['project', 'restore', '--file', 'sealed.age'];
    expect((await run('c', ...back)).code).not.toBe(0);
    expect(await answer('c', ...back, '--identity', 'key.txt')).toMatchObject({
      backup_id: sealed.backup_id,
      restored: true,
    });
  } finally {
    hub.kill('SIGTERM');
    await end;
  }
  const found = await answer('c', 'search', 'crane 77');
  expect(found.results.length).toBeGreaterThan(0);
  const again = await answer('c', 'project', 'backup', project_id);
  expect(again.records).toEqual(made.records);
});

test('killed with -9 at any moment: the old state or the new, and no half file', { timeout: TIMEOUT_MS }, async () => {
  const data_dir = join(folder, 'killed');
  await using app = await openApp({ data_dir });
  const owner = { user: app.runtime.localPrincipal().user_id };
  const { project_id } = await app.call('create_project', { name: 'Harbour' }, owner);
  await Promise.all(
    Array.from({ length: MEMORIES }, (_, i) => app.store(`Crane ${i} needs grease.`, { project_id }, owner)),
  );
  const { backup_id, file } = await app.call('backup_project', { project_id }, owner);
  const began = performance.now();
  expect(await ended(start('killed', ['project', 'backup', project_id], app))).toMatchObject({ code: 0 });
  const whole_ms = performance.now() - began;
  for (const part of [0.6, 0.75, 0.9]) {
    await killed(start('killed', ['project', 'backup', project_id], app), whole_ms * part);
    for (const name of readdirSync(backupFolder(app)).filter((found) => !found.startsWith('.'))) {
      const plan = { backup_id: name.replace('.hbackup', ''), dry_run: true };
      expect(await app.call('restore_project', plan, owner)).toMatchObject({ conflicts_total: 0 });
    }
  }
  await using target = await openApp({ data_dir: join(folder, 'target') });
  const words = ['project', 'restore', '--file', join(backupFolder(app), file)];
  for (const part of [0.7, 0.9, 1.1]) {
    await killed(start('target', words, target), whole_ms * part);
    const [projects] = await target.rows('select count(*) as count from projects');
    const [memories] = await target.rows('select count(*) as count from memories');
    const [queued] = await target.rows('select count(*) as count from memory_signatures');
    const all = projects?.count === 1;
    expect({ projects, memories }).toEqual({
      projects: { count: all ? 1 : 0 },
      memories: { count: all ? MEMORIES : 0 },
    });
    expect(Number(queued?.count) > 0).toBe(all);
  }
  const copy = readdirSync(backupFolder(target)).some((name) => name === file);
  if (!copy) carryFiles(app, target);
  expect(await target.call('restore_project', { backup_id }, owner)).toMatchObject({ restored: true });
  expect(await target.rows('select count(*) as count from memories')).toEqual([{ count: MEMORIES }]);
});

async function killed(child: ChildProcess, after_ms: number): Promise<void> {
  const end = ended(child);
  await Promise.race([setTimeout(after_ms), end]);
  child.kill('SIGKILL');
  await end;
}

function firstLineOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.stdout?.once('data', () => resolve()));
}
