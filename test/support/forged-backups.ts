// Files of backups as somebody with an editor makes them: whole, rightly hashed, and saying whatever they like.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonRecord } from '../../src/domains/projects/backup/canonical.ts';
import type { About } from '../../src/domains/projects/backup/manifest.ts';
import { PARTS } from '../../src/domains/projects/backup/parts/index.ts';
import { writeContainer } from '../../src/domains/projects/backup/write-container.ts';
import type { Principal } from '../../src/kernel/operation.ts';
import { type App, contextOf } from './open-app.ts';
import { piecesOf } from './project-backups.ts';

let made = 0;

/** Writes such a file, brings it to the hub as its user does, and returns its id. */
export async function bringForged(
  app: App,
  by: Principal | string,
  parts: Readonly<Record<string, readonly JsonRecord[]>>,
  project_id = 'proj_forged',
): Promise<string> {
  const principal = typeof by === 'string' ? contextOf('test-machine', { user: by }).principal : by;
  const { user_id, agent_id, machine_id } = principal;
  const backup_id = `forged_${++made}`;
  const path = join(app.data_dir, backup_id);
  const about: About = {
    ...{ backup_id, project_id, kind: 'made', backup_type: 'full', base: null, include_history: true },
    created_at: AT,
    made_by: { user_id, agent_id, machine_id },
  };
  const sources = PARTS.flatMap(({ name }) => {
    const records = parts[name];
    return records ? [{ name, records: batchOf(records) }] : [];
  });
  await writeContainer(path, about, sources, undefined);
  const bytes = readFileSync(path);
  rmSync(path);
  await app.runtime.backupFiles.takeIn(principal, piecesOf(bytes));
  return backup_id;
}

async function* batchOf(records: readonly JsonRecord[]) {
  yield records;
}

export const AT = '2026-01-01T00:00:00.000Z';
const BY_EVE = { user_id: 'eve', agent_id: 'tester', machine_id: 'm' };
const EVES = { scope: 'solo', team_id: null, ...BY_EVE, created_at: AT, updated_at: AT, version: 1 };

export const aProject = (fields: JsonRecord = {}): JsonRecord => ({
  ...{ project_id: 'proj_forged', name: 'Forged', description: '', status: 'active', project_type: 'general' },
  ...{ priority: 'medium', owner_agent_id: null, tags: [], metadata: {}, settings: {} },
  ...EVES,
  ...fields,
});

export const aMemory = (fields: JsonRecord = {}): JsonRecord => ({
  ...{ memory_id: 'mem_forged', content: 'A thing to know.', category: 'global', context: null, tags: [] },
  ...{ metadata: {}, project_id: 'proj_forged', project: null, importance: 0.5, session_id: null, sequence: null },
  ...{ external_id: null, occurred_at: null, valid_from: null, valid_until: null, supersedes: null },
  ...{ superseded_by: null, source: 'agent', format_version: 'v1', identity: 'project' },
  ...EVES,
  ...fields,
});

export const aTask = (fields: JsonRecord = {}): JsonRecord => ({
  ...{ task_id: 'task_forged', title: 'A thing to do', description: '', status: 'todo', priority: 1, progress: 0 },
  ...{ project_id: 'proj_forged', parent_id: null, tags: [], required_capabilities: [], due_at: null },
  ...{ estimate_minutes: null, assigned_agent_id: null, delegated_by: null, resolution: null, external_id: null },
  ...{ started_at: null, finished_at: null },
  ...EVES,
  ...fields,
});

export const aLine = (fields: JsonRecord = {}): JsonRecord => ({
  ...{ entry_id: 'hist_forged', task_id: 'task_forged', project_id: 'proj_forged', at: AT, action: 'status' },
  ...{ from_status: null, to_status: 'done', scope: 'solo', team_id: null, ...BY_EVE, subject_agent_id: null },
  ...{ comment: null, details: {}, version: 2 },
  ...fields,
});

/** A row as its record: these fields of it, JSON columns opened. */
export function recordFrom(like: JsonRecord, row: Readonly<Record<string, unknown>> | undefined): JsonRecord {
  const out: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(like)) {
    if (!row || !(field in row)) continue;
    out[field] = typeof value === 'object' && value !== null ? JSON.parse(String(row[field])) : row[field];
  }
  return out as JsonRecord;
}
