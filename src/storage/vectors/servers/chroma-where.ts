// Conditions as Chroma's `where`: what a filter of ours says about the metadata of a chunk.
import type { NearOptions, VectorFilter, VectorSight } from './port.ts';

/** A condition, or several; Chroma's own words. */
export type Where = { readonly [key: string]: unknown };

/** Metadata key of a tag: Chroma 1.0 keeps no lists, so each tag is a key that is true. */
export const tagKey = (tag: string): string => `tag:${tag}`;

const all = (conditions: readonly Where[]): Where | undefined =>
  conditions.length > 1 ? { $and: conditions } : conditions[0];

/** Older servers refuse `$or` of one condition. */
const any = (conditions: readonly Where[]): Where[] =>
  conditions.length > 1 ? [{ $or: conditions }] : [...conditions];

const fromSight = ({ user_id, scopes }: VectorSight): Where[] => [
  ...(user_id === undefined ? [] : [{ user_id }]),
  ...(scopes.length === 0 ? [] : [{ scope: { $in: scopes } }]),
];

/** `$ne` and `$nin` hold for chunks that lack the key, which is what "none of" means. */
const fromFilter = (filter: VectorFilter): Where[] => [
  ...any(fromSight(filter.visible_to)),
  ...filter.any_of.map(({ field, values }) => ({ [field]: { $in: values } })),
  ...filter.none_of.flatMap(({ field, values }) => (values.length > 0 ? [{ [field]: { $nin: values } }] : [])),
  ...any(filter.tags_any.map((tag) => ({ [tagKey(tag)]: true }))),
  ...filter.tags_all.map((tag) => ({ [tagKey(tag)]: true })),
  ...filter.tags_none.map((tag) => ({ [tagKey(tag)]: { $ne: true } })),
];

/** The condition for a search; `nothing` where no chunk can meet it (Chroma refuses empty lists). */
export const whereOf = ({
  filter,
  allowed,
}: Pick<NearOptions, 'filter' | 'allowed'>): Where | undefined | 'nothing' => {
  if (allowed?.size === 0 || filter?.any_of.some(({ values }) => values.length === 0)) return 'nothing';
  if (filter && fromSight(filter.visible_to).length === 0) return 'nothing';
  return all([...(filter ? fromFilter(filter) : []), ...(allowed ? [whereRows([...allowed])] : [])]);
};

/** Whether what a caller may see is all that the filter asks for. */
export const asksSightAlone = ({ filter, allowed }: Pick<NearOptions, 'filter' | 'allowed'>): boolean =>
  filter !== undefined &&
  allowed === undefined &&
  [filter.any_of, filter.none_of, filter.tags_any, filter.tags_all, filter.tags_none].every(
    (list) => list.length === 0,
  );

/** The same as the first condition of `fromFilter`, of a record that is here already. */
export const isInSight = (
  { user_id, scopes }: VectorSight,
  metadata: Readonly<Record<string, unknown>> | null,
): boolean =>
  (user_id !== undefined && metadata?.user_id === user_id) ||
  (typeof metadata?.scope === 'string' && scopes.includes(metadata.scope));

/** Chunks of these memories; at least one. */
export const whereRows = (row_ids: readonly number[]): Where => ({ row_id: { $in: row_ids } });

/** First chunks of the memories after `low`, up to and with `high` where that is given. */
export const whereHeads = (low: number, high?: number): Where => {
  const after = { head: { $gt: low } };
  return high === undefined ? after : { $and: [after, { head: { $lte: high } }] };
};
