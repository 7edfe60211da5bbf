// list_project_backups: what there is to restore from.
import { z } from 'zod';
import { idField, limitField } from '../../../kernel/fields.ts';
import { defineOperation, READS } from '../../../kernel/operation.ts';
import type { ProjectBackups } from '../backup/index.ts';

const input = z.strictObject({
  project_id: idField('Only of this project.').optional(),
  limit: limitField(),
});

const output = z.object({
  backups: z
    .array(
      z.object({
        backup_id: z.string().describe('Id.'),
        project_id: z.string().describe('Project.'),
        kind: z.string().describe('made, before_restore, or found: brought here as a file.'),
        backup_type: z.string().describe('full or incremental.'),
        base_backup_id: z.string().nullable().describe('What it adds to.'),
        include_history: z.boolean().describe('With history.'),
        encryption: z.string().describe('none or keyring.'),
        bytes: z.number().describe('Of the file.'),
        records: z.number().nullable().describe('In it; null where that is sealed.'),
        made_by: z.string().describe('User.'),
        machine_id: z.string().describe('Whose disk it is on.'),
        created_at: z.string().describe('When.'),
        available: z.boolean().describe('The file is on this hub.'),
      }),
    )
    .describe('Newest first.'),
});

export const listProjectBackups = defineOperation<ProjectBackups, typeof input, typeof output>({
  name: 'list_project_backups',
  title: 'List project backups',
  description: 'Lists backups of projects that you made or brought here; administrators see all.',
  toolset: 'admin',
  input,
  output,
  effects: READS,
  permission: 'project.backup',
  rest: { method: 'GET', path: '/project-backups' },
  cli: {
    group: 'project',
    verb: 'backups',
    table: {
      rows: 'backups',
      columns: ['backup_id', 'project_id', 'kind', 'backup_type', 'created_at', 'bytes', 'available'],
    },
  },
  examples: [{ title: 'All of them', input: {} }],
  handle: async (backups, asked, { principal }) => ({ backups: [...(await backups.list(principal, { ...asked }))] }),
  text: ({ backups }) => [
    {
      kind: 'text',
      text:
        backups.length === 0
          ? 'There are no backups you may use.'
          : backups
              .map(
                ({ backup_id, project_id, backup_type, created_at, available }) =>
                  `${backup_id} of ${project_id}: ${backup_type}, ${created_at}${available ? '' : ', not on this machine'}`,
              )
              .join('\n'),
    },
  ],
});
