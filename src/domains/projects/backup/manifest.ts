// What a backup says about itself, in both forms of the file: docs/project-backups.md describes them.
import { z } from 'zod';

/** First line of the file, and of what is inside a sealed one. */
export const MAGIC = 'haivemind-project-backup 1';
export const SEALED_MAGIC = 'haivemind-sealed-backup 1';

/** Longest line before the parts. */
export const HEAD_LINE_MAX_BYTES = 1024 * 1024;

/** What may name a file: a part of a path it never is. */
export const BACKUP_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/;

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().min(0);
const name = z.string().min(1).max(200);

const aboutFields = {
  backup_id: z.string().regex(BACKUP_ID),
  project_id: name,
  kind: z.enum(['made', 'before_restore']),
  backup_type: z.enum(['full', 'incremental']),
  /** What an increment adds to, by id and by the SHA-256 of the whole file. */
  base: z.strictObject({ backup_id: z.string().regex(BACKUP_ID), sha256: hash }).nullable(),
  include_history: z.boolean(),
  created_at: z.iso.datetime(),
  made_by: z.strictObject({ user_id: name, agent_id: name, machine_id: name }),
};

export const aboutSchema = z.strictObject(aboutFields);
export type About = z.output<typeof aboutSchema>;

const partSchema = z.strictObject({
  name,
  records: count,
  /** Of the JSON lines. */
  bytes: count,
  sha256: hash,
  /** Of the part as it lies in the file: the lines, compressed by gzip. */
  stored_bytes: count,
  stored_sha256: hash,
});
export type ManifestPart = z.output<typeof partSchema>;

export const manifestSchema = z.strictObject({ ...aboutFields, parts: z.array(partSchema).max(100) });
export type Manifest = z.output<typeof manifestSchema>;

export const sealedHeaderSchema = z.strictObject({
  ...aboutFields,
  key: z.strictObject({ master_key_id: name, wrapped: z.base64() }),
});
export type SealedHeader = z.output<typeof sealedHeaderSchema>;

/** The part of an increment that lists what is gone since its base. */
export const REMOVED_PART = 'removed';
export const removedSchema = z.strictObject({
  part: name,
  key: z
    .array(z.union([z.string(), z.number()]))
    .min(1)
    .max(4),
});
export type Removed = z.output<typeof removedSchema>;

export function aboutOf({ parts: _, ...about }: Manifest): About {
  return about;
}
