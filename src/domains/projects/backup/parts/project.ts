// The project itself.
import { sql } from 'kysely';
import type { AnyReader, Found } from './part.ts';
import { placedRecord, refuseWork } from './rights.ts';
import { type TablePart, tablePart } from './table-part.ts';

const spec: TablePart = {
  name: 'project',
  table: 'projects',
  key: ['project_id'],
  entity: 'project',
  time: 'updated_at',
  ignored: ['version', 'updated_at'],
  columns: {
    project_id: 'text',
    name: 'text',
    description: 'text',
    status: 'text',
    project_type: 'text',
    priority: 'text',
    owner_agent_id: 'text?',
    tags: 'json',
    metadata: 'json',
    settings: 'json',
    scope: 'text',
    user_id: 'text',
    team_id: 'text?',
    agent_id: 'text',
    machine_id: 'text',
    created_at: 'text',
    updated_at: 'text',
    version: 'integer',
  },
  within: ({ project_id }) => sql`projects.project_id = ${project_id}`,
  placed: placedRecord,
  refuse: refuseWork,
  judge,
  renewed: (row, record, { project }) => ({
    version: Math.max(Number(row.version), Number(record.version)) + 1,
    updated_at: project.now,
  }),
};

export const projectPart = tablePart(spec);

/** A name stands for one project of its place that is not over. */
async function judge(db: AnyReader, found: readonly Found[]): Promise<readonly Found[]> {
  const out: Found[] = [];
  for (const one of found) {
    const { record, finding } = one;
    const open = record.status === 'active' || record.status === 'paused';
    let query = db
      .selectFrom('projects')
      .select('project_id')
      .where('name', '=', record.name)
      .where('scope', '=', record.scope)
      .where('status', 'in', ['active', 'paused'])
      .where('project_id', '<>', record.project_id);
    if (record.scope === 'solo') query = query.where('user_id', '=', record.user_id);
    if (record.scope === 'team') query = query.where('team_id', '=', record.team_id);
    const other = open && finding.kind !== 'same' ? await query.executeTakeFirst() : undefined;
    const reason = `project ${String(other?.project_id)} has its name in the same place`;
    out.push(other ? { ...one, finding: { kind: 'conflict', reason } } : one);
  }
  return out;
}
