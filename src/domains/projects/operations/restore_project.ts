// restore_project: a project as a backup has it; all of it or nothing.
import { z } from 'zod';
import { failure } from '../../../kernel/errors.ts';
import { idField } from '../../../kernel/fields.ts';
import { DELETES, defineOperation } from '../../../kernel/operation.ts';
import { assertAllowed, mayAddWork } from '../../access/index.ts';
import { teamNotFound } from '../../teams/index.ts';
import { type ProjectBackups, RESTORE_MODES } from '../backup/index.ts';

const input = z.strictObject({
  backup_id: idField('Id of the backup.'),
  restore_mode: z
    .enum(RESTORE_MODES)
    .default('safe')
    .describe('safe only adds; merge takes what is newer; overwrite makes all as it was.'),
  dry_run: z.boolean().default(false).describe('Say what would be done.'),
  scope: z
    .enum(['solo', 'team', 'shared'])
    .describe('Place on a hub without the project; it becomes yours.')
    .optional(),
  team_id: idField('Team it goes to there.').optional(),
});

const partSchema = z.object({
  part: z.string().describe('Kind of record.'),
  records: z.number().describe('In the backup.'),
  add: z.number().describe('Not here.'),
  update: z.number().describe('Put back.'),
  keep: z.number().describe('Different here and left so.'),
  same: z.number().describe('As here.'),
  remove: z.number().describe('Came after the backup.'),
  conflicts: z.number().describe('Cannot be put back.'),
});

const output = z.object({
  project_id: z.string().describe('Project.'),
  backup_id: z.string().describe('Backup.'),
  restore_mode: z.string().describe('Mode.'),
  restored: z.boolean().describe('False after a dry run.'),
  before_restore_backup_id: z.string().nullable().describe('The state before, to go back to.'),
  parts: z.array(partSchema).describe('What is done with records, by part.'),
  conflicts: z
    .array(
      z.object({
        part: z.string().describe('Kind of record.'),
        key: z.string().describe('Its key.'),
        reason: z.string().describe('What is in the way.'),
      }),
    )
    .describe('The first of them.'),
  conflicts_total: z.number().describe('All of them.'),
});

export const restoreProject = defineOperation<ProjectBackups, typeof input, typeof output>({
  name: 'restore_project',
  title: 'Restore project',
  description:
    'Puts a project back from a backup: checks all of it first, then does all or nothing. overwrite keeps the state before as a backup. dry_run shows the plan.',
  toolset: 'projects',
  input,
  output,
  effects: DELETES,
  permission: 'project.restore',
  audited: true,
  rest: { method: 'POST', path: '/project-backups/{backup_id}/restore' },
  cli: {
    group: 'project',
    verb: 'restore',
    positional: ['backup_id'],
    table: {
      rows: 'parts',
      columns: ['part', 'records', 'add', 'update', 'keep', 'same', 'remove', 'conflicts'],
      beside: ['conflicts', 'conflicts_total', 'before_restore_backup_id'],
    },
  },
  examples: [
    { title: 'What is missing', input: { backup_id: 'backup_xyz789', restore_mode: 'safe' } },
    { title: 'What would be done', input: { backup_id: 'backup_xyz789', restore_mode: 'overwrite', dry_run: true } },
  ],
  async handle(backups, { backup_id, restore_mode, dry_run, scope, team_id }, { principal }) {
    if (scope === 'team' && team_id === undefined)
      throw failure('invalid_input', 'scope=team needs a team.', 'Give team_id; list_teams shows yours.');
    if (team_id !== undefined && scope !== undefined && scope !== 'team')
      throw failure('invalid_input', `scope=${scope} has no team.`, 'Leave one of the two out.');
    const place = { scope: team_id === undefined ? scope : ('team' as const), team_id: team_id ?? null };
    const placement = place.scope === undefined ? undefined : { scope: place.scope, team_id: place.team_id };
    if (placement) assertAllowed(mayAddWork(principal, placement), () => teamNotFound(placement.team_id ?? ''));
    const done = await backups.restore(principal, { backup_id, restore_mode, dry_run, placement });
    const { parts, conflicts, ...rest } = done;
    return { ...rest, backup_id, restore_mode, parts: [...parts], conflicts: [...conflicts] };
  },
  text(out) {
    const sum = (field: 'add' | 'update' | 'keep' | 'remove') => out.parts.reduce((all, part) => all + part[field], 0);
    const counts = `${sum('add')} added, ${sum('update')} put back, ${sum('remove')} taken away, ${sum('keep')} left as they are`;
    const kept = out.before_restore_backup_id ? ` The state before is ${out.before_restore_backup_id}.` : '';
    const head = out.restored
      ? `${out.project_id} is restored: ${counts}.${kept}`
      : `Nothing is changed yet: ${counts}.`;
    const lines = out.conflicts.map(({ part, key, reason }) => `${part} ${key}: ${reason}`);
    return [
      { kind: 'text', text: head },
      ...(lines.length > 0
        ? [{ kind: 'stored' as const, text: [`${out.conflicts_total} in the way:`, ...lines].join('\n') }]
        : []),
    ];
  },
});
