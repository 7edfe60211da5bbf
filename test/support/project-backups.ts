// A project with something of everything in it, and its backups: files looked into and carried from hub to hub.
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readContainer } from '../../src/domains/projects/backup/read-container.ts';
import type { App, CallerOptions } from './open-app.ts';

export const backupFolder = (app: Pick<App, 'data_dir'>): string => join(app.data_dir, 'backups', 'projects');

export function carryFiles(from: App, to: App): void {
  mkdirSync(backupFolder(to), { recursive: true });
  for (const name of readdirSync(backupFolder(from)))
    copyFileSync(join(backupFolder(from), name), join(backupFolder(to), name));
}

export async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

export const fileOf = (app: App, name: string): Buffer => readFileSync(join(backupFolder(app), name));

/** Records of each part as JSON lines, in the order of the file. */
export async function linesIn(bytes: Uint8Array): Promise<Record<string, string[]>> {
  const out: Record<string, string[]> = {};
  const reading = readContainer(piecesOf(bytes), () => Promise.reject(new Error('It is sealed.')));
  for await (const { part, records } of reading) {
    out[part] ??= [];
    for (const record of records) out[part].push(JSON.stringify(record));
  }
  return out;
}

export interface Harbour {
  readonly project_id: string;
  readonly memory_ids: readonly string[];
  readonly task_ids: readonly string[];
  readonly vault_id: string;
}

/** Made at the start of every secret in it, so that a test can look for it where it must not be. */
export const SECRET_VALUE = `plain-${'x'.repeat(6)}-of-the-vault`;

export async function makeHarbour(app: App, caller?: CallerOptions, place: object = {}): Promise<Harbour> {
  const { project_id } = await app.call(
    'create_project',
    { name: 'Harbour', description: 'Cranes', tags: ['b', 'a'], metadata: { z: 1, a: { d: 2, c: 3 } }, ...place },
    caller,
  );
  const memory_ids: string[] = [];
  for (let i = 0; i < 6; i++) {
    const where = i % 2 === 0 ? { project_id } : { project: 'Harbour' };
    memory_ids.push(
      await app.store(`Crane ${i} needs grease every ${i + 2} weeks.`, { ...where, tags: ['crane'] }, caller),
    );
  }
  await app.call('update_memory', { memory_id: memory_ids[0], content: 'Crane 0 needs oil, and no grease.' }, caller);
  const task_ids: string[] = [];
  for (let i = 0; i < 4; i++) {
    const dependencies = i === 3 ? [task_ids[0]] : [];
    const made = await app.call('create_kanban_task', { title: `Grease ${i}`, project_id, dependencies }, caller);
    task_ids.push(made.task.task_id);
  }
  const { vault_id } = await app.call('create_vault', { name: 'Keys', vault_type: 'project', project_id }, caller);
  await app.call('store_in_vault', { vault_id, key: 'gate', value: `${SECRET_VALUE} 1` }, caller);
  await app.call('store_in_vault', { vault_id, key: 'gate', value: `${SECRET_VALUE} 2` }, caller);
  return { project_id, memory_ids, task_ids, vault_id };
}
