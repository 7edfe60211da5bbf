// How tables and columns are described to the registry of personal data.

/**
 * - `owner`: the user whose row it is
 * - `name`: a user named in a row that is somebody else's
 * - `text`, `json`: words of people and programs, which may mention anybody
 * - `bound`: such words that nothing may change, because a cipher vouches for them
 * - `fact`: ids, times, kinds and counts; exported, never about a name
 * - `internal`: follows from the others or keeps the store's books; not exported
 * - `sealed`: readable only with a key; not exported
 */
export type ColumnClass = 'owner' | 'name' | 'text' | 'json' | 'bound' | 'fact' | 'internal' | 'sealed';

export interface PersonalTable {
  readonly table: string;
  /** Columns of the primary key, in order. */
  readonly key: readonly [string, ...string[]];
  readonly columns: Readonly<Record<string, ColumnClass>>;
  /** Rows without a user of their own are those of this row's user: `column` here is `key` there. */
  readonly parent?: { readonly table: string; readonly column: string; readonly key: string };
  /** The owner column names a user only where this holds. */
  readonly when?: { readonly column: string; readonly value: string };
  /** SQL: rows that others live on with, whatever the owner column says; they only name the user. */
  readonly shared_if?: string;
  /** What becomes of the user's rows; `rename`: others need the row, so the user gets a pseudonym and its texts go. */
  readonly owned: 'delete' | 'rename';
  /** What becomes of rows of others whose texts mention the user, where that is asked for. */
  readonly mentions: 'replace' | 'delete';
  /** Name of its records in the change record, for synchronised tables. */
  readonly entity?: string;
  /** The domain that erases it in its own way; absent: domains/privacy/erase.ts does. */
  readonly erased_by?: 'memory' | 'audit';
}

export const VERSIONED = {
  origin: 'internal',
  origin_sequence: 'internal',
  clock: 'internal',
  version_vector: 'internal',
} as const;
