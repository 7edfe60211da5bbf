// The table of the full-text index on PostgreSQL.

/**
 * Statements that create the index; run once, inside a migration. `words` holds stems made by this program
 * (lexemes.ts), body as weight A and what describes it as D, so that no dictionary of the server is involved.
 * Vectors stay uncompressed in their page up to 8 kB: each function of a score would unpack them again.
 * Without a pending list each insert costs a little more, and no search ever reads a list of unsorted entries.
 */
export const textTablesDdl: readonly string[] = [
  `create table memory_texts (
    row_id bigint primary key,
    words tsvector not null,
    body_length integer not null,
    extra_length integer not null
  ) with (toast_tuple_target = 8160)`,
  'alter table memory_texts alter column words set storage external',
  'create index memory_texts_words on memory_texts using gin (words) with (fastupdate = off)',
];
