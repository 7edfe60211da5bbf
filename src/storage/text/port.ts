// The full-text index as a port: what a store of any engine has to offer.
import type { QueryExecutorProvider } from 'kysely';

/** What of a record is searched: `body` is its text, `extra` what describes it (context, category, tags). */
export type IndexedText = { readonly body: string; readonly extra?: string };

/** A record that matches; a higher score is better. Scores compare within one answer only. */
export type TextHit = { readonly row_id: number; readonly score: number };

export type TextSearchOptions = {
  readonly limit: number;
  /** Only these records may be found. Absent: all. */
  readonly allowed?: ReadonlySet<number> | undefined;
};

/** The open transaction of the caller. */
export type TextTransaction = QueryExecutorProvider;

export type TextIndex = {
  /** Adds a record or replaces what is indexed for it, within the caller's transaction. */
  put(trx: TextTransaction, rowId: number, text: IndexedText): Promise<void>;
  /** Forgets a record, within the caller's transaction; one that is not there is no error. */
  remove(trx: TextTransaction, rowId: number): Promise<void>;
  /** Best matches first. A question without words finds nothing. */
  search(question: string, options: TextSearchOptions): Promise<TextHit[]>;
  /** Inverse document frequency of words (or of names, their parts joined by spaces) in the whole store. */
  rarity(words: readonly string[]): Promise<Map<string, number>>;
  /** Records in the index. */
  count(): Promise<number>;
  /** Loads the word list that typos are corrected with, in small steps, so that a later search need not. */
  warm(): Promise<void>;
};
