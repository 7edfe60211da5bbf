// What the body of an issue says of other work: task lists, and lines that name what it waits for.
import { hash } from 'node:crypto';

export interface BodyTodo {
  /** Made of the text, so that the same item is the same task after others were added before it. */
  readonly key: string;
  readonly text: string;
  readonly done: boolean;
}

export interface BodyLinks {
  /** Ids of issues that stand in its task lists. */
  readonly children: readonly string[];
  /** Items of task lists that are no issues. */
  readonly todos: readonly BodyTodo[];
  /** Ids of issues in lines that begin with `Blocked by` or `Depends on`. */
  readonly waits: readonly string[];
}

const TASK_ITEM = /^\s*(?:[-*+]|\d+[.)])\s+\[([ xX])\]\s+(\S.*)$/;
const WAITS = /^\s*(?:[-*+]\s+)?\**(?:blocked by|depends on)\**:?\s+(?=\S)(.*)$/is;
const REFERENCE =
  /(?:https?:\/\/[^/\s]+\/([\w.-]+\/[\w.-]+)\/issues\/(\d+)|(?<![\w/.-])([\w.-]+\/[\w.-]+)#(\d+)|(?<![\w/&])#(\d+))/g;
const FENCE = /^\s*(?:```|~~~)/;

/** `repository` is that of the issue: a bare `#12` is one of its. */
export function bodyLinks(body: string, repository: string): BodyLinks {
  const children: string[] = [];
  const todos = new Map<string, BodyTodo>();
  const waits: string[] = [];
  let fenced = false;
  for (const line of body.split(/\r?\n/)) {
    if (FENCE.test(line)) fenced = !fenced;
    if (fenced) continue;
    const item = TASK_ITEM.exec(line);
    const waiting = item ? undefined : WAITS.exec(line)?.[1];
    if (waiting !== undefined) waits.push(...references(waiting, repository));
    if (item?.[2] === undefined) continue;
    const text = item[2].trim();
    // An item that is nothing but a reference, perhaps with its title, is that issue.
    const refers = /^(?:https?:\/\/|#\d|[\w.-]+\/[\w.-]+#\d)/.test(text);
    const [only] = refers ? references(text, repository) : [];
    if (only !== undefined) {
      children.push(only);
      continue;
    }
    const key = `todo-${hash('sha256', text).slice(0, 12)}`;
    todos.set(key, { key, text, done: item[1] !== ' ' });
  }
  return { children, todos: [...todos.values()], waits };
}

function references(text: string, repository: string): string[] {
  return [...text.matchAll(REFERENCE)].map((found) => {
    const place = found[1] ?? found[3] ?? repository;
    return `github:${place.toLowerCase()}#${found[2] ?? found[4] ?? found[5]}`;
  });
}
