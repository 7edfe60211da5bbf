// What SQL engines spell differently, each as a named capability: queries elsewhere are written once for all of them.
import type {
  ColumnDefinitionBuilder,
  CreateTableBuilder,
  Expression,
  QueryExecutorProvider,
  RawBuilder,
  SqlBool,
} from 'kysely';

/** Column types of a migration; `key` is an integer that counts up by itself. */
export interface SchemaDialect {
  readonly text: ColumnType;
  readonly integer: ColumnType;
  readonly real: ColumnType;
  readonly bytes: ColumnType;
  readonly key: ColumnType;
  asKey(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder;
  /** A table that is nothing but its primary key is kept in that key's order where the engine can. */
  keyOnly<T extends CreateTableBuilder<string, string>>(table: T): T;
  /** Statements that create the full-text index. */
  readonly textIndexDdl: readonly string[];
  /** Statements that only this engine needs, by the migration that asks for them. */
  readonly ownDdl: readonly string[];
}

export type ColumnType = 'text' | 'integer' | 'real' | 'blob' | RawBuilder<unknown>;

/** A part of a session: positions, both ends included. */
export interface WantedRange {
  readonly session_id: string;
  readonly from: number;
  readonly to: number;
}

export interface RangeColumns {
  session_id: string;
  lowest: number;
  highest: number;
}

/** A select of Kysely, whatever it selects. */
interface Lockable<Q> {
  forUpdate(): Q;
  skipLocked(): Q;
}

export interface SqlDialect {
  /** The engine's own time in milliseconds since the epoch, where processes on several machines share it. */
  readonly clock: { readonly engine_now_ms?: Expression<number> };
  /** `column in (...)` for any number of integers, as one parameter. */
  inList(column: string, ids: readonly number[]): Expression<SqlBool>;
  /** Ranges as a table of `session_id`, `lowest` and `highest`, in parentheses. */
  rangeTable(ranges: readonly WantedRange[]): RawBuilder<RangeColumns>;
  /** The distinct values of a text column in a group, joined by commas. */
  distinctList(column: string): RawBuilder<string>;
  /** The ids a query selects as its column `row_id`, the fastest way out of the engine. */
  collectIds(db: unknown, query: IdQuery): Promise<number[]>;
  /** Keeps the rows a query reads from changing until the transaction ends; other transactions wait for them. */
  forChange<Q extends Lockable<Q>>(query: Q): Q;
  /** The same, but rows that another transaction holds are passed over: they are being worked on. */
  unclaimed<Q extends Lockable<Q>>(query: Q): Q;
  /** Until this transaction ends, others that name the same section wait: numbers given inside appear in their order. */
  serialise(trx: QueryExecutorProvider, section: string): Promise<void>;
}

export interface IdQuery {
  as(alias: string): unknown;
  execute(): Promise<{ row_id: number }[]>;
}
