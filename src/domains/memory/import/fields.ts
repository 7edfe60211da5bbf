// The fields of a memory as records and front matters spell them: which become the item's own, which are handed on.
import { CATEGORIES } from '../schema.ts';

/** Fields that an item has itself, besides content and metadata. */
export const ITEM_FIELD_NAMES = [
  'category',
  'context',
  'tags',
  'session_id',
  'sequence',
  'occurred_at',
  'project',
  'source',
  'external_id',
] as const;

/** Fields a memory has that an item has not: handed on as they are, to be checked where they are stored. */
export const EXTRA_FIELDS: ReadonlySet<string> = new Set([
  'memory_id',
  'project_id',
  'scope',
  'team_id',
  'importance',
  'valid_from',
  'valid_until',
  'supersedes',
  'superseded_by',
  'user_id',
  'agent_id',
  'machine_id',
  'format_version',
  'version',
  'created_at',
  'updated_at',
  'deleted_at',
]);

const KNOWN_CATEGORIES: ReadonlySet<string> = new Set(CATEGORIES);

/** True for a category of memories; another word becomes a tag, so that nothing is refused and nothing is lost. */
export function isCategory(text: string): boolean {
  return KNOWN_CATEGORIES.has(text);
}

/** Tags as a list or as one text with commas. */
export function tagList(value: unknown): string[] {
  if (typeof value === 'string') return value.split(',').map((tag) => tag.trim());
  if (!Array.isArray(value)) return [];
  return value.filter((tag) => typeof tag === 'string' || typeof tag === 'number').map(String);
}
