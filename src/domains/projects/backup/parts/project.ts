// The project itself.
import { sql } from 'kysely';
import { z } from 'zod';
import { limits } from '../../../../kernel/limits.ts';
import { maySeeWork, type WorkFacts } from '../../../access/index.ts';
import { PROJECT_PRIORITIES, PROJECT_STATUSES, wipLimitsSchema } from '../../schema.ts';
import type { Json } from '../canonical.ts';
import { text } from './fields.ts';
import type { AnyReader, Found, RestoreContext } from './part.ts';
import { IN_THE_WAY, originOf, placedRecord, refuseWork } from './rights.ts';
import { type TablePart, tablePart } from './table-part.ts';

const spec: TablePart = {
  name: 'project',
  table: 'projects',
  key: ['project_id'],
  entity: 'project',
  time: 'updated_at',
  ignored: ['version', 'updated_at'],
  columns: {
    project_id: 'line',
    name: 'line',
    description: 'text',
    status: 'text',
    project_type: 'line',
    priority: 'text',
    owner_agent_id: 'line?',
    tags: 'tags',
    metadata: 'object',
    settings: 'json',
    scope: 'scope',
    user_id: 'line',
    team_id: 'line?',
    agent_id: 'line',
    machine_id: 'line',
    created_at: 'moment',
    updated_at: 'moment',
    version: 'version',
  },
  narrower: {
    description: text(limits.task_text_length_max_chars),
    status: z.enum(PROJECT_STATUSES),
    priority: z.enum(PROJECT_PRIORITIES),
    settings: z.strictObject({ wip_limits: wipLimitsSchema.optional() }) as unknown as z.ZodType<Json>,
  },
  texts: { name: 'text', description: 'text', project_type: 'text', metadata: 'metadata' },
  within: ({ project_id }) => sql`projects.project_id = ${project_id}`,
  placed: placedRecord,
  refuse: refuseWork,
  judge,
  renewed: (row, record, { project }) => ({
    ...originOf(row),
    version: Math.max(Number(row.version), Number(record.version)) + 1,
    updated_at: project.now,
  }),
};

export const projectPart = tablePart(spec);

/** A name stands for one project of its place that is not over. */
async function judge(db: AnyReader, found: readonly Found[], { principal }: RestoreContext): Promise<readonly Found[]> {
  const out: Found[] = [];
  for (const one of found) {
    const { record, finding } = one;
    const open = record.status === 'active' || record.status === 'paused';
    let query = db
      .selectFrom('projects')
      .select(['project_id', 'scope', 'user_id', 'team_id'])
      .where('name', '=', record.name)
      .where('scope', '=', record.scope)
      .where('status', 'in', ['active', 'paused'])
      .where('project_id', '<>', record.project_id);
    if (record.scope === 'solo') query = query.where('user_id', '=', record.user_id);
    if (record.scope === 'team') query = query.where('team_id', '=', record.team_id);
    const other = open && finding.kind !== 'same' ? await query.executeTakeFirst() : undefined;
    const seen = other && maySeeWork(principal, other as unknown as WorkFacts).allowed;
    const reason = seen ? `project ${String(other.project_id)} has its name in the same place` : IN_THE_WAY;
    out.push(other ? { ...one, finding: { kind: 'conflict', reason } } : one);
  }
  return out;
}
