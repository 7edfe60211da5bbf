// backup_project: a project in one file, whole or what changed since an earlier one.
import { z } from 'zod';
import { idField } from '../../../kernel/fields.ts';
import { defineOperation, WRITES } from '../../../kernel/operation.ts';
import { type ProjectBackups, partNames } from '../backup/index.ts';
import { projectField } from '../schema.ts';

const input = z.strictObject({
  project_id: projectField,
  backup_type: z.enum(['full', 'incremental']).default('full').describe('All, or changes since the last.'),
  include_history: z.boolean().describe('Earlier versions and task history; default true, or as the base.').optional(),
  encryption: z.enum(['none', 'keyring']).default('none').describe("keyring: under the hub's master key."),
  base_backup_id: idField('What an incremental one adds to; default: your newest.').optional(),
});

const output = z.object({
  backup_id: z.string().describe('Id of the backup.'),
  project_id: z.string().describe('Project.'),
  backup_type: z.string().describe('full or incremental.'),
  base_backup_id: z.string().nullable().describe('What it adds to.'),
  include_history: z.boolean().describe('With history.'),
  encryption: z.string().describe('none or keyring.'),
  file: z.string().describe('Name in backups/projects of the data directory.'),
  sha256: z.string().describe('Of the file.'),
  bytes: z.number().describe('Of the file.'),
  records: z.record(z.string(), z.number()).describe('Records by part.'),
  created_at: z.string().describe('When.'),
});

export const backupProject = defineOperation<ProjectBackups, typeof input, typeof output>({
  name: 'backup_project',
  title: 'Back up project',
  description:
    'Writes a project you manage to one checked file on the hub: tasks, what you may see of its memories, vaults as ciphertext.',
  toolset: 'projects',
  input,
  output,
  effects: WRITES,
  permission: 'project.backup',
  audited: true,
  rest: { method: 'POST', path: '/projects/{project_id}/backups', status: 201 },
  cli: { group: 'project', verb: 'backup', positional: ['project_id'] },
  examples: [
    {
      title: 'Everything, with history',
      input: { project_id: 'proj_abc123', backup_type: 'full', include_history: true },
    },
  ],
  async handle(backups, asked, { principal, signal }) {
    const { about, file, sha256, bytes, encryption, counts } = await backups.make(
      principal,
      { ...asked, include_history: asked.include_history },
      signal,
    );
    const { backup_id, project_id, backup_type, include_history, created_at } = about;
    return {
      ...{ backup_id, project_id, backup_type, include_history, encryption, file, sha256, bytes, created_at },
      base_backup_id: about.base?.backup_id ?? null,
      records: counts,
    };
  },
  text: ({ backup_id, bytes, records, backup_type, include_history }) => {
    const count = Object.values(records).reduce((sum, part) => sum + part, 0);
    const left_out = partNames(include_history).filter((part) => records[part] === undefined);
    const without =
      left_out.length === 0 ? '' : ` Without ${left_out.join(', ')}: the credential does not include reading them.`;
    return [
      {
        kind: 'text',
        text: `${backup_id}: ${backup_type}, ${count} records, ${bytes} bytes, read back and in order.${without}`,
      },
    ];
  },
});
