// Input fields of vaults. What is wrong with a value is said without repeating it.
import { z } from 'zod';
import { idField } from '../../kernel/fields.ts';
import { limits } from '../../kernel/limits.ts';

export const VAULT_TYPES = ['personal', 'team', 'project', 'shared'] as const;
export type VaultType = (typeof VAULT_TYPES)[number];

export const vaultIdField = idField('Id of the vault.');

const KEY_PATTERN = /^[A-Za-z0-9_][A-Za-z0-9_./-]*$/;

export const keyField = z
  .string()
  .max(limits.name_length_max_chars)
  .regex(KEY_PATTERN, 'is not a key: letters, digits and _ . / - only, beginning with a letter, a digit or _')
  .describe('Name of the secret.');

export const valueField = z
  .string()
  .min(1, 'is empty')
  .refine(
    (value) => Buffer.byteLength(value) <= limits.vault_value_max_bytes,
    `is larger than ${limits.vault_value_max_bytes} bytes as UTF-8`,
  )
  .describe(`The secret: any text up to ${limits.vault_value_max_bytes / 1024} KiB.`);

const reason = z.string().trim().max(limits.reason_length_max_chars);

export const auditReasonField = reason.min(1, 'is empty: say what the secret is needed for').describe('What for.');

export const reasonField = reason.optional().describe('Why, for the audit log.');

/** Which caller sees what of a secret without opening it. */
export const secretShape = {
  key: z.string().describe('Name.'),
  version: z.number().describe('Newest version.'),
  updated_at: z.string().describe('When that was stored.'),
  updated_by: z.string().describe('By whom.'),
  expires_at: z.string().nullable().describe('When it expires.'),
  expired: z.boolean().describe('No longer given out.'),
  rotation_interval_days: z.number().nullable().describe('Days between new values.'),
  rotation_due: z.boolean().describe('Needs a new value.'),
  recoverable_until: z.string().nullable().describe('Set where it is deleted.'),
};
