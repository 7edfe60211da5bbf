// The retrieval sets: notes in BEIR layout and conversations, from the shared data or the samples in the project.
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sharedData } from '../../test/shared-data.ts';

/** A memory of a set, as the product would store it. Row ids count from 1 in file order. */
export type SetMemory = {
  readonly content: string;
  readonly project: string | undefined;
  readonly session_id: string | undefined;
  readonly sequence: number | undefined;
};
/** A question: where to look, and the grade of each right row. */
export type SetQuery = {
  readonly text: string;
  readonly project: string | undefined;
  readonly grades: ReadonlyMap<number, number>;
};
export type RetrievalSet = {
  readonly name: string;
  readonly memories: readonly SetMemory[];
  readonly queries: readonly SetQuery[];
};

type Note = { _id: string; title: string; text: string };
type Turn = { _id: string; conversation: string; session: number; speaker: string; text: string; caption?: string };
type Query = { _id: string; text: string; conversation?: string };

const SAMPLES = join(import.meta.dirname, '../../test/samples/retrieval');

const readLines = <T>(file: string): T[] =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

const fromNotes = (notes: readonly Note[]): SetMemory[] =>
  notes.map(({ title, text }) => ({
    content: title ? `${title}\n${text}` : text,
    project: undefined,
    session_id: undefined,
    sequence: undefined,
  }));

/** A turn as an import stores it: speaker, text, caption, with its place in its session. */
const fromTurns = (turns: readonly Turn[]): SetMemory[] => {
  const counts = new Map<string, number>();
  return turns.map(({ conversation, session, speaker, text, caption }) => {
    const session_id = `${conversation}/${session}`;
    const sequence = (counts.get(session_id) ?? 0) + 1;
    counts.set(session_id, sequence);
    return {
      content: `${speaker}: ${text}${caption ? ` [${caption}]` : ''}`,
      project: conversation,
      session_id,
      sequence,
    };
  });
};

/** Reads a folder of either layout. Queries without right answers are left out. */
export const readSet = (folder: string): RetrievalSet => {
  const isConversation = existsSync(join(folder, 'conversations.jsonl'));
  const turns = isConversation ? readLines<Turn>(join(folder, 'conversations.jsonl')) : [];
  const notes = isConversation ? [] : readLines<Note>(join(folder, 'corpus.jsonl'));
  const rowOf = new Map([...turns, ...notes].map(({ _id }, index) => [_id, index + 1]));
  const grades = new Map<string, Map<number, number>>();
  for (const line of readFileSync(join(folder, 'qrels.tsv'), 'utf8').trim().split('\n').slice(1)) {
    const [query = '', memory = '', grade = ''] = line.split('\t');
    const row = rowOf.get(memory);
    if (row === undefined) throw new Error(`${folder}: qrels name ${memory}, which is not in the corpus`);
    grades.set(query, (grades.get(query) ?? new Map()).set(row, Number(grade)));
  }
  const queries = readLines<Query>(join(folder, 'queries.jsonl')).flatMap(({ _id, text, conversation }) => {
    const own = grades.get(_id);
    return own ? [{ text, project: conversation, grades: own }] : [];
  });
  return { name: basename(folder), memories: isConversation ? fromTurns(turns) : fromNotes(notes), queries };
};

/** The sets named, or all of them; the samples where the shared data is not on this machine. */
export const readSets = (): { sets: RetrievalSet[]; sampled: boolean } => {
  const folders = ['ops-notes', 'devbench', 'locomo-dev'].map((name) => sharedData(`retrieval/${name}`));
  const found = folders.filter((folder) => folder !== undefined);
  if (found.length > 0) return { sets: found.map(readSet), sampled: false };
  return { sets: ['notes', 'conversation'].map((name) => readSet(join(SAMPLES, name))), sampled: true };
};
