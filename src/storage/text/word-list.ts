// Keeps the vocabulary of the full-text index in memory for typo correction, and renews it as the index grows.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { hiddenParts, wordsOf } from './names.ts';
import type { IndexedText } from './port.ts';
import { createVocabulary, type Vocabulary } from './vocabulary.ts';

/** Words read in one step: about 5 ms of work between two turns of the event loop. */
const PAGE_WORDS = 5_000;
/** A vocabulary of at most this many words is read at once, during the search that needs it. */
const AT_ONCE_WORDS_MAX = 10_000;
/** A large vocabulary is read again after this many records from other processes. */
const RENEW_RECORDS = 1_000;

export type WordList = {
  nearest(word: string, limit: number): string[];
  /** Tells of a text that this process has just indexed. */
  note(rowId: number, text: IndexedText): void;
  /** Reads the words of the index anew, in small steps. */
  load(): Promise<void>;
};

type Row = { term: string; doc: number };

export const createWordList = (db: DatabaseSync): WordList => {
  let vocabulary: Vocabulary | undefined;
  /** The last record whose words are in the vocabulary. */
  let coveredTo = -1;
  let loading: Promise<void> | undefined;
  let page: StatementSync | undefined;
  let last: StatementSync | undefined;

  const lastRecord = (): number => {
    last ??= db.prepare('select coalesce(max(id), 0) as last from memory_fts_docsize');
    return Number(last.get()?.last ?? 0);
  };
  const readPage = (after: string, limit: number): Row[] => {
    page ??= db.prepare('select term, doc from memory_fts_words where term > ? order by term limit ?');
    return page.all(after, limit) as Row[];
  };

  const loadInSteps = async (): Promise<void> => {
    const to = lastRecord();
    const next = createVocabulary();
    for (let after = ''; ; ) {
      if (!db.isOpen) return;
      const rows = readPage(after, PAGE_WORDS);
      for (const row of rows) next.add(row.term, row.doc);
      after = rows.at(-1)?.term ?? after;
      if (rows.length < PAGE_WORDS) break;
      await nextTurn();
    }
    vocabulary = next;
    coveredTo = Math.max(coveredTo, to);
  };
  const load = (): Promise<void> => {
    loading ??= loadInSteps().finally(() => {
      loading = undefined;
    });
    return loading;
  };

  const loadAtOnce = (to: number): boolean => {
    const rows = readPage('', AT_ONCE_WORDS_MAX + 1);
    if (rows.length > AT_ONCE_WORDS_MAX) return false;
    const next = createVocabulary();
    for (const row of rows) next.add(row.term, row.doc);
    vocabulary = next;
    coveredTo = to;
    return true;
  };

  const renew = (): void => {
    const to = lastRecord();
    if (to === coveredTo) return;
    if (vocabulary !== undefined && vocabulary.size > AT_ONCE_WORDS_MAX && to - coveredTo < RENEW_RECORDS) return;
    // A failed background read leaves the old list in use; the next unknown word tries again.
    if (!loadAtOnce(to)) void load().catch(() => undefined);
  };

  return {
    nearest(word, limit) {
      renew();
      return vocabulary?.nearest(word, limit) ?? [];
    },
    note(rowId, text) {
      if (vocabulary === undefined || rowId !== coveredTo + 1) return;
      const words = wordsOf(`${text.body}\n${text.extra ?? ''}`);
      for (const word of [...words, ...hiddenParts(words)]) vocabulary.add(word.toLowerCase());
      coveredTo = rowId;
    },
    load,
  };
};
