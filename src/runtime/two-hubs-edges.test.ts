// Two hubs change what waits for what at the same moment: nobody has to be thrown out for it, and what is counted is right.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type App, type CallerOptions, openApp } from '../../test/support/open-app.ts';
import { onPostgres } from '../../test/support/test-store.ts';

const ROUNDS = 15;
const OTHER: CallerOptions = { agent: 'other', session: 'ses_other' };

/** Locks that PostgreSQL had to break. Its counters are written when a transaction of the session ends, a little late. */
async function deadlocks(app: App): Promise<number> {
  if (!onPostgres) return 0;
  const rows = await app.rows('select deadlocks from pg_stat_database where datname = current_database()');
  return Number(rows[0]?.deadlocks);
}

const make = async (app: App, fields: object = {}): Promise<string> =>
  (await app.call('create_kanban_task', { title: 'task', related_limit: 0, ...fields })).task.task_id;
const change = (app: App, task_id: string, fields: object, caller?: CallerOptions) =>
  app.call('update_kanban_task', { task_id, ...fields }, caller);

/** Rows whose counters are not what statuses and edges say. */
const wrong = (app: App) =>
  app.rows(`select task_id from tasks where
    open_dependencies <> (select count(*) from task_dependencies as e join tasks as d on d.task_id = e.depends_on_id
      where e.task_id = tasks.task_id and d.status not in ('done', 'cancelled'))
    or open_children <> (select count(*) from tasks as c where c.parent_id = tasks.task_id
      and c.status not in ('done', 'failed', 'cancelled'))
    or is_ready <> case when status = 'todo' and open_dependencies + open_children + blocked_ancestors = 0
      then 1 else 0 end`);

test('opposite edges, ends, moves and parts from two hubs wait for each other in one order', async () => {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-hubs-'));
  try {
    await using one = await openApp({ data_dir, role: 'server' });
    await using two = await openApp({ data_dir, role: 'server', machine_id: 'two' });
    const before = await deadlocks(one);
    for (let round = 0; round < ROUNDS; round++) {
      // What waits is older than what it waits for, and the other way round.
      const [a, b] = [await make(one), await make(one)];
      const [late, early] = [await make(one), await make(one)];
      const story = await make(one);
      const part = await make(one, { parent_id: story });
      await change(one, late, { add_dependencies: [early] });
      await change(one, story, { add_dependencies: [early, a] });
      const outcomes = await Promise.allSettled([
        change(one, a, { add_dependencies: [b] }),
        change(two, b, { add_dependencies: [a] }, OTHER),
        change(one, early, { status: 'cancelled' }),
        change(two, late, { remove_dependencies: [early] }, OTHER),
        change(one, part, { status: 'cancelled' }),
        change(two, story, { remove_dependencies: [early] }, OTHER),
        make(two, { parent_id: story, dependencies: [late] }),
      ]);
      const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
      // One of the two halves of the circle, and nothing else.
      expect(refused).toEqual(['conflict']);
      expect(await wrong(one)).toEqual([]);
    }
    expect(await deadlocks(one)).toBe(before);
  } finally {
    rmSync(data_dir, { recursive: true, force: true });
  }
});

test('a task that ends while another hub restores what waits for it is waited for by nobody', async () => {
  const data_dir = mkdtempSync(join(tmpdir(), 'haivemind-hubs-'));
  try {
    await using one = await openApp({ data_dir, role: 'server' });
    await using two = await openApp({ data_dir, role: 'server', machine_id: 'two' });
    const before = await deadlocks(one);
    for (let round = 0; round < ROUNDS; round++) {
      const { project_id } = (await one.call('create_project', { name: `Round ${round}` })).project;
      const first = await make(one, { project_id });
      const waiting = await make(one, { project_id, dependencies: [first] });
      const { backup_id } = await one.call('backup_project', { project_id });
      await one.call('delete_kanban_task', { task_id: waiting });
      one.clock.advance(1_000);
      const ended = async () => {
        // Somewhere within the other's transaction, which takes some tens of milliseconds.
        for (let i = 0; i < round; i++) await two.call('get_kanban_task', { task_id: first, related_limit: 0 });
        await change(two, first, { status: 'cancelled' });
      };
      const restored = one.call('restore_project', { backup_id, restore_mode: 'merge', dry_run: false });
      await Promise.all([restored, ended()]);
      expect(await wrong(one)).toEqual([]);
    }
    expect(await deadlocks(one)).toBe(before);
  } finally {
    rmSync(data_dir, { recursive: true, force: true });
  }
});
