// A claim from before a restore is over after it: no token of a task is ever given twice, and late writes are refused.
import { expect, test } from 'vitest';
import { type App, type CallerOptions, openApp } from '../../../../test/support/open-app.ts';
import { carryFiles } from '../../../../test/support/project-backups.ts';

const ADA: CallerOptions = { agent: 'ann', session: 'ses_ann', transport: 'http' };
const BOB: CallerOptions = { agent: 'bob', session: 'ses_bob', transport: 'http' };

async function harbour(app: App) {
  const { project } = await app.call('create_project', { name: 'Harbour' });
  const { project_id } = project;
  const { task } = await app.call('create_kanban_task', { title: 'Dredge the basin', project_id });
  const { backup_id } = await app.call('backup_project', { project_id });
  return { project_id, task_id: task.task_id as string, backup_id };
}

const restore = (app: App, backup_id: string, restore_mode: string) =>
  app.call('restore_project', { backup_id, restore_mode, dry_run: false });

async function assertLate(app: App, task_id: string, fencing_token: number): Promise<void> {
  const late = { task_id, status: 'done', resolution: 'late', fencing_token };
  const refused = await app.refusal('update_kanban_task', late, ADA);
  expect(refused).toMatchObject({ code: 'conflict', message: expect.stringContaining('is over') });
}

test('a task that was deleted and restored goes on from its tokens, though the clock stands still', async () => {
  await using app = await openApp();
  const { task_id, backup_id } = await harbour(app);
  let before = 0;
  for (let round = 0; round < 3; round++) {
    const { fencing_token: given } = await app.call('claim_next', { task_id }, ADA);
    await app.call('delete_kanban_task', { task_id, force: true });
    await restore(app, backup_id, 'safe');
    await assertLate(app, task_id, given);
    const { fencing_token } = await app.call('claim_next', { task_id }, BOB);
    expect(given).toBeGreaterThan(before);
    expect(fencing_token).toBeGreaterThan(given);
    await assertLate(app, task_id, given);
    await app.call('update_kanban_task', { task_id, status: 'todo' }, BOB);
    before = fencing_token;
  }
});

test('in a store that knows nothing of it, tokens begin beyond those of the hub it comes from', async () => {
  await using from = await openApp({ machine_id: 'old' });
  await using to = await openApp({ machine_id: 'new' });
  const { task_id, backup_id } = await harbour(from);
  carryFiles(from, to);
  await restore(to, backup_id, 'safe');
  const { fencing_token: old } = await from.call('claim_next', { task_id }, ADA);
  const { fencing_token } = await to.call('claim_next', { task_id }, BOB);
  expect(fencing_token).toBeGreaterThan(old);
  await assertLate(to, task_id, old);
});

test('a restore over a live claim ends it: its holder comes too late', async () => {
  await using app = await openApp();
  const { task_id, backup_id } = await harbour(app);
  const { fencing_token } = await app.call('claim_next', { task_id }, ADA);
  await app.call('update_kanban_task', { task_id, title: 'changed', fencing_token }, ADA);
  await restore(app, backup_id, 'overwrite');
  await assertLate(app, task_id, fencing_token);
  expect((await app.call('claim_next', { task_id }, BOB)).fencing_token).toBeGreaterThan(fencing_token);
});
