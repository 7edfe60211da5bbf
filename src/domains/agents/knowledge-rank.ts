// What an agent knows, from several sources in one list: tasks are scored by the words they share with the question, and
// what was remembered of a task stands behind the task itself.
export interface Known {
  readonly kind: 'memory' | 'runbook' | 'incident' | 'task';
  /** Of the memory or the task. */
  readonly id: string;
  readonly text: string;
  /** 0 to 1. */
  readonly score: number;
  /** ISO time. */
  readonly at: string;
  readonly machine_id: string;
  /** Task a memory was made of. */
  readonly task_id?: string | undefined;
}

/** A word that says nothing about a topic is rarely longer. */
const WORD_CHARS_MIN = 3;
/** Words of the same stem share so many letters at their beginning. */
const STEM_CHARS = 5;

/** Share of the question's words that a text has, 0 to 1; words count as the same from their first five letters on. */
export function shareOfWords(question: string, text: string): number {
  const wanted = stemsIn(question);
  if (wanted.size === 0) return 0;
  const present = stemsIn(text);
  let common = 0;
  for (const stem of wanted) if (present.has(stem)) common++;
  return common / wanted.size;
}

function stemsIn(text: string): Set<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => word.length >= WORD_CHARS_MIN).map((word) => word.slice(0, STEM_CHARS)));
}

/** Best first, of equals the newer; a memory of a task that is in the list lends it its score and is left out. */
export function rankKnown(found: readonly Known[], limit: number): Known[] {
  const lent = new Map<string, number>();
  for (const { task_id, score } of found)
    if (task_id !== undefined) lent.set(task_id, Math.max(score, lent.get(task_id) ?? 0));
  const tasks = new Set(found.flatMap(({ kind, id }) => (kind === 'task' ? [id] : [])));
  return found
    .filter(({ task_id }) => task_id === undefined || !tasks.has(task_id))
    .map((known) =>
      known.kind === 'task' ? { ...known, score: Math.max(known.score, lent.get(known.id) ?? 0) } : known,
    )
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score || compare(b.at, a.at) || compare(a.id, b.id))
    .slice(0, limit);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
