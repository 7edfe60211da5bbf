// The two ends of a transfer, whatever engine they are: rows in key order on one side, batches and a journal on the other.
import type { CarriedTable } from './registry.ts';

export type Value = string | number | Uint8Array | null;
export type Row = Readonly<Record<string, Value>>;
/** Values of a table's key columns. */
export type Key = readonly (string | number)[];

export interface RowRange {
  /** Only rows behind this key; absent: from the first. */
  readonly after?: Key | undefined;
  /** Only rows up to this key; absent: to the last. */
  readonly upto?: Key | undefined;
}

export interface Tables {
  readonly kind: 'sqlite' | 'postgres';
  /** For people; never a password. */
  readonly place: string;
  names(): Promise<string[]>;
  /** Sorted, so that both engines give the same order. */
  columns(table: string): Promise<string[]>;
  count(table: string): Promise<number>;
  /** Rows that were not deleted. */
  countLiving(table: string): Promise<number>;
  /** The next rows in key order: at least one where there is one, and no more than a page holds. */
  page(table: CarriedTable, range: RowRange): Promise<Row[]>;
}

/** One moment of a store. Nothing in it is changed. */
export interface TransferSource extends Tables {
  /** Same for the same store, wherever it lies. `null` while nothing was ever stored. */
  readonly store_id: string | null;
  /** Differs as soon as anything in the store may have changed. */
  readonly mark: string;
  /** What the reader should know about how it was opened. */
  readonly notes: readonly string[];
  /** Highest id ever given, by table. */
  counters(): Promise<Readonly<Record<string, number>>>;
  /** The latest recorded change in this moment, and now. */
  latestChange(when: 'here' | 'now'): Promise<number>;
  close(): Promise<void>;
}

/** How far a table is. */
export interface TableProgress {
  readonly after: Key | null;
  readonly rows: number;
  /** Content hash of the rows so far; see digest.ts. */
  readonly hash: string;
  readonly done: boolean;
}

export interface JournalHeader {
  readonly schema: number;
  readonly store_id: string | null;
  readonly mark: string;
  /** `copy`: behind a table's position the target is empty. `compare`: rows of an earlier moment may be there. */
  readonly mode: 'copy' | 'compare';
  /** Statements that make the indexes again, which are away while rows come in. */
  readonly indexes: readonly string[];
}

export interface Batch {
  readonly table: CarriedTable;
  readonly remove: readonly Key[];
  readonly insert: readonly Row[];
  readonly progress: TableProgress;
}

/** A store that is being filled, out of sight of everybody until it is published. */
export interface TransferTarget extends Tables {
  header(): Promise<JournalHeader | undefined>;
  progress(table: string): Promise<TableProgress | undefined>;
  /** Notes what is being carried; `compare` forgets how far each table was. */
  begin(header: Omit<JournalHeader, 'indexes'>): Promise<void>;
  /** One transaction: rows, their words and how far the table is. */
  write(batch: Batch): Promise<void>;
  /** Makes indexes again and sets counters. */
  finish(counters: Readonly<Record<string, number>>): Promise<void>;
  /** Records in the full-text index. */
  texts(): Promise<number>;
  /** Puts it in its place. Returns where the store before it lies now. */
  publish(): Promise<string | undefined>;
  /** Ends; what is unfinished stays for the next run. */
  close(): Promise<void>;
}

/** What is at the place of a target now. `unused`: a store in which nothing was ever stored. */
export type Present = 'nothing' | 'unused' | 'used';

export const keyOf = ({ key }: CarriedTable, row: Row): Key => key.map((column) => row[column] as string | number);
