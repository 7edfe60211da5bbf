// A project out of one hub and into another: every record the same to the byte, found again by its words, and cheap.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type App, contextOf, openApp } from '../../../../test/support/open-app.ts';
import { readContainer } from './read-container.ts';

const folderOf = (app: App) => join(app.data_dir, 'backups', 'projects');

function moveFiles(from: App, to: App): void {
  mkdirSync(folderOf(to), { recursive: true });
  for (const name of readdirSync(folderOf(from))) copyFileSync(join(folderOf(from), name), join(folderOf(to), name));
}

/** Lines of each part as they stand in the file. */
async function linesOf(app: App, file: string): Promise<Record<string, string[]>> {
  const bytes = readFileSync(join(folderOf(app), file));
  const out: Record<string, string[]> = {};
  const reading = readContainer(one(bytes), () => Promise.reject(new Error('It is not sealed.')));
  for await (const { part, records } of reading) {
    out[part] ??= [];
    for (const record of records) out[part].push(JSON.stringify(record));
  }
  return out;
}

async function* one(bytes: Uint8Array) {
  yield bytes;
}

async function fill(app: App, memories: number) {
  const { project_id } = await app.call('create_project', { name: 'Harbour', description: 'All cranes.' });
  const lines = Array.from({ length: memories }, (_, i) =>
    JSON.stringify({
      content: `Crane ${i} of the harbour needs grease in month ${i % 12}.`,
      ...(i % 3 === 0 ? { project: 'Harbour' } : { project_id }),
      tags: ['crane', `month${i % 12}`],
      metadata: { number: i, nested: { z: 1.5, a: [true, null] } },
    }),
  );
  const { principal, signal } = contextOf('old-hub');
  const events = app.runtime.transfers.importFrom(one(Buffer.from(lines.join('\n'))), principal, { signal });
  for await (const event of events) if (event.type === 'done') expect(event.stored).toBe(memories);
  const ids: string[] = [];
  for (let i = 0; i < 30; i++) {
    const dependencies = i % 5 === 4 ? ids.slice(-2) : [];
    const made = await app.call('create_kanban_task', { title: `Grease crane ${i}`, project_id, dependencies });
    ids.push(made.task.task_id);
  }
  await app.call('update_kanban_task', { task_id: ids[0], status: 'in_progress' });
  await app.call('update_kanban_task', { task_id: ids[1], comment: 'The ladder is missing.' });
  return { project_id, ids };
}

test('ten thousand memories and their tasks, to the byte', { timeout: 240_000 }, async () => {
  await using from = await openApp({ machine_id: 'old-hub' });
  await using to = await openApp({ machine_id: 'new-hub' });
  const { project_id, ids } = await fill(from, 10_000);
  const made = await from.call('backup_project', { project_id });
  expect(made.records).toMatchObject({ memories: 10_000, tasks: 30, project: 1 });
  expect(statSync(join(folderOf(from), made.file)).mode & 0o777).toBe(0o600);
  moveFiles(from, to);
  const done = await to.call('restore_project', { backup_id: made.backup_id });
  expect(done).toMatchObject({ restored: true, conflicts_total: 0 });
  const again = await to.call('backup_project', { project_id });
  expect(await linesOf(to, again.file)).toEqual(await linesOf(from, made.file));
  const found = await to.call('search_memories', { query: 'crane 7777 harbour' });
  expect(found.results[0].content).toContain('Crane 7777');
  const held = await to.rows('select status, holder_agent_id from tasks where task_id = ?', ids[0] ?? '');
  expect(held).toEqual([{ status: 'todo', holder_agent_id: null }]);
  const ready = await to.rows('select count(*) as ready from tasks where is_ready = 1');
  expect(ready).toEqual([{ ready: 24 }]);
});
