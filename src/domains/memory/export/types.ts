// What an export takes: memories as they leave the store, in the field names of the answers.

/** A memory in its outer form. Fields that are undefined or null are left out of an export. */
export interface ExportRecord {
  readonly memory_id: string;
  readonly content: string;
  readonly category?: string | null;
  readonly tags?: readonly string[] | null;
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  readonly created_at?: string | null;
  readonly [field: string]: unknown;
}

/** A record without its empty fields. */
export function definedFields(record: ExportRecord): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined && value !== null));
}
