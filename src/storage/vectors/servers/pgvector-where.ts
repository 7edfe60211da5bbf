// Conditions as SQL over the table of vectors.
import type { NearOptions } from './port.ts';

export interface SqlCondition {
  /** After `where`; numbered from `first`. */
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Field names come from our own types, values are always parameters. `none_of` holds where the field is null. */
export const conditionOf = (
  { filter, allowed }: Pick<NearOptions, 'filter' | 'allowed'>,
  first: number,
): SqlCondition => {
  const parts: string[] = [];
  const values: unknown[] = [];
  const parameter = (value: unknown): string => `$${first + values.push(value) - 1}`;
  if (allowed) parts.push(`row_id = any(${parameter([...allowed])}::bigint[])`);
  if (filter) {
    const { user_id, scopes } = filter.visible_to;
    const own = user_id === undefined ? [] : [`user_id = ${parameter(user_id)}`];
    parts.push(`(${[...own, `scope = any(${parameter(scopes)}::text[])`].join(' or ')})`);
    for (const { field, values: wanted } of filter.any_of) parts.push(`${field} = any(${parameter(wanted)}::text[])`);
    for (const { field, values: unwanted } of filter.none_of)
      parts.push(`(${field} is null or ${field} <> all(${parameter(unwanted)}::text[]))`);
    if (filter.tags_any.length > 0) parts.push(`tags && ${parameter(filter.tags_any)}::text[]`);
    if (filter.tags_all.length > 0) parts.push(`tags @> ${parameter(filter.tags_all)}::text[]`);
    if (filter.tags_none.length > 0) parts.push(`not tags && ${parameter(filter.tags_none)}::text[]`);
  }
  return { text: parts.length === 0 ? 'true' : parts.join(' and '), values };
};
