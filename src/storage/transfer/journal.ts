// The table in an unfinished target that says what is carried into it and how far each table is.

export const JOURNAL_TABLE = 'store_transfer';

export const JOURNAL_DDL = `create table if not exists ${JOURNAL_TABLE} (name text primary key, value text not null)`;

/** Name of the header; every other name is a table's. No table of a store is called so. */
export const HEADER = '#';
