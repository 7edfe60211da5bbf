// GitHub issues: as the REST API lists them, and as `gh issue list --json` prints them.
import type { Priority, Status } from '../statuses.ts';
import { type BodyLinks, type BodyTodo, bodyLinks } from './github-body.ts';
import { type BoardBuilder, TWICE } from './item.ts';
import { isRecord, listOf, nameOf, numberOf, textOf, timeOf, type Values } from './values.ts';

export function isGithub(value: unknown): boolean {
  return isRecord(value) && typeof value.number === 'number' && 'title' in value && !('external_id' in value);
}

/**
 * Adds all issues of a list. `repository` is used for issues that do not tell theirs: `gh` gives an address only where
 * `url` is asked for.
 */
export function addGithub(builder: BoardBuilder, issues: readonly unknown[], repository: string | undefined): void {
  const told = issues.flatMap((issue, i) => {
    const position = `issue ${i + 1}`;
    if (!isRecord(issue) || !isGithub(issue)) {
      builder.problem({ item: position, message: 'is no issue: it has no number or no title' });
      return [];
    }
    // The issues of the REST API are pull requests as well.
    if (isRecord(issue.pull_request)) {
      builder.skip();
      return [];
    }
    const id = idOf(issue, repository);
    if (id !== undefined) return [{ issue, id, body: bodyLinks(textOf(issue.body) ?? '', repositoryOf(id)) }];
    builder.problem({
      item: `#${String(issue.number)}`,
      message: 'does not tell its repository: add url to the fields, or give source=owner/name',
    });
    return [];
  });
  const known = onceEach(builder, told);
  const parents = parentsOf(known, repository);
  const blockers = blockersOf(known, repository);
  for (const one of known) addIssue(builder, { ...one, repository, parents, blockers });
}

interface Known {
  readonly issue: Values;
  readonly id: string;
  readonly body: BodyLinks;
}

/** Of an issue that is there several times only the last one speaks, also of other issues. */
function onceEach(builder: BoardBuilder, told: readonly Known[]): Known[] {
  const last = new Map<string, Known>();
  for (const one of told) {
    if (last.delete(one.id)) builder.problem({ item: one.id, message: TWICE });
    last.set(one.id, one);
  }
  return [...last.values()];
}

/** `github:<owner>/<name>#<number>`. */
function idOf(issue: Values, repository: string | undefined): string | undefined {
  const number = numberOf(issue.number);
  const url = textOf(issue.html_url) ?? textOf(issue.url) ?? '';
  return idOfUrl(url) ?? (number === undefined || repository === undefined ? undefined : githubId(repository, number));
}

export function idOfUrl(url: string): string | undefined {
  const found = /^https?:\/\/[^/]+\/(?:api\/v3\/)?(?:repos\/)?([\w.-]+\/[\w.-]+)\/issues\/(\d+)/.exec(url);
  return found?.[1] === undefined ? undefined : githubId(found[1], Number(found[2]));
}

export function githubId(repository: string, number: number): string {
  return `github:${repository.toLowerCase()}#${number}`;
}

function repositoryOf(id: string): string {
  return id.slice('github:'.length, id.lastIndexOf('#'));
}

/** Ids of issues in a list of references; each is an issue, or the part of one that names it. */
function referenced(value: unknown, own: string): string[] {
  return listOf(value).flatMap((one) => (isRecord(one) ? (idOf(one, repositoryOf(own)) ?? []) : []));
}

/** Child -> parent, told by either of them. */
function parentsOf(known: readonly Known[], repository: string | undefined): ReadonlyMap<string, string> {
  const parents = new Map<string, string>();
  for (const { issue, id, body } of known) {
    for (const child of [...referenced(issue.subIssues, id), ...referenced(issue.sub_issues, id)])
      parents.set(child, id);
    for (const child of body.children) if (!parents.has(child)) parents.set(child, id);
  }
  for (const { issue, id } of known) {
    const told = isRecord(issue.parent)
      ? idOf(issue.parent, repository)
      : idOfUrl(textOf(issue.parent_issue_url) ?? '');
    if (told !== undefined) parents.set(id, told);
  }
  return parents;
}

/** Issue -> what it waits for, told by either of them. */
function blockersOf(known: readonly Known[], _repository: string | undefined): ReadonlyMap<string, readonly string[]> {
  const blockers = new Map<string, string[]>();
  const add = (id: string, on: string): void => {
    const list = blockers.get(id);
    if (list) list.push(on);
    else blockers.set(id, [on]);
  };
  for (const { issue, id, body } of known) {
    for (const on of [...referenced(issue.blockedBy, id), ...referenced(issue.blocked_by, id)]) add(id, on);
    for (const other of [...referenced(issue.blocking, id)]) add(other, id);
    for (const on of body.waits) add(id, on);
  }
  return blockers;
}

interface Issue extends Known {
  readonly repository: string | undefined;
  readonly parents: ReadonlyMap<string, string>;
  readonly blockers: ReadonlyMap<string, readonly string[]>;
}

function addIssue(builder: BoardBuilder, { issue, id, body, parents, blockers }: Issue): void {
  const labels = listOf(issue.labels).flatMap((label) =>
    typeof label === 'string' ? label : isRecord(label) ? (textOf(label.name) ?? []) : [],
  );
  const people = listOf(issue.assignees).flatMap((one) => (isRecord(one) ? (textOf(one.login) ?? []) : []));
  const milestone = isRecord(issue.milestone) ? issue.milestone : {};
  const named = textOf(milestone.title);
  const status = statusOf(issue, labels);
  builder.add({
    external_id: id,
    title: textOf(issue.title) ?? '',
    description: textOf(issue.body) ?? '',
    status,
    priority: priorityIn(labels),
    parent: parents.get(id) ?? null,
    depends_on: [...(blockers.get(id) ?? [])],
    tags: [...labels, ...(named === undefined ? [] : [`milestone:${named}`]), ...others(people)],
    assignee: people[0] ?? null,
    due: timeOf(milestone.due_on) ?? timeOf(milestone.dueOn),
    created_at: timeOf(issue.created_at) ?? timeOf(issue.createdAt),
    finished_at: timeOf(issue.closed_at) ?? timeOf(issue.closedAt),
    comments: commentsOf(issue, id),
  });
  for (const todo of body.todos) addTodo(builder, todo, id, status);
}

/** The first assignee has a field of its own. */
function others(people: readonly string[]): string[] {
  return people.slice(1).map((login) => `assignee:${login}`);
}

/** An item of a task list that is no issue is a part of the issue. */
function addTodo(builder: BoardBuilder, { key, text, done }: BodyTodo, parent: string, status: Status): void {
  const over = status === 'done' || status === 'cancelled' ? status : 'todo';
  builder.add({ external_id: `${parent}/${key}`, title: text, status: done ? 'done' : over, parent });
}

const NOT_DONE = new Set(['not_planned', 'duplicate']);

function statusOf(issue: Values, labels: readonly string[]): Status {
  const state = (textOf(issue.state) ?? 'open').toLowerCase();
  const reason = (textOf(issue.state_reason) ?? textOf(issue.stateReason) ?? '').toLowerCase();
  if (state === 'closed') return NOT_DONE.has(reason) ? 'cancelled' : 'done';
  const words = labels.map((label) => label.toLowerCase().replace(/^status[\s:/_-]+/, ''));
  if (words.includes('blocked')) return 'blocked';
  return words.includes('backlog') ? 'backlog' : 'todo';
}

const PRIORITY_LABEL =
  /^(?:priority|prio|p)[\s:/_-]*(critical|urgent|highest|0|high|1|medium|normal|2|low|lowest|3|4)$/;
const PRIORITY_WORD: Readonly<Record<string, Priority>> = {
  ...{ critical: 'critical', urgent: 'critical', highest: 'critical', '0': 'critical' },
  ...{ high: 'high', '1': 'high', medium: 'medium', normal: 'medium', '2': 'medium' },
  ...{ low: 'low', lowest: 'low', '3': 'low', '4': 'low' },
};

/** From labels such as `P1`, `priority: high`, `prio/low`, `critical`, `urgent`. */
function priorityIn(labels: readonly string[]): Priority {
  for (const label of labels.map((text) => text.trim().toLowerCase())) {
    const found = PRIORITY_LABEL.exec(label)?.[1] ?? (label === 'critical' || label === 'urgent' ? label : undefined);
    const priority = found === undefined ? undefined : PRIORITY_WORD[found];
    if (priority) return priority;
  }
  return 'medium';
}

function commentsOf(issue: Values, id: string) {
  // REST tells only how many there are.
  return listOf(issue.comments).flatMap((comment, i) => {
    if (!isRecord(comment)) return [];
    const text = textOf(comment.body);
    if (text === undefined) return [];
    const author = isRecord(comment.author) ? comment.author : isRecord(comment.user) ? comment.user : {};
    const at = timeOf(comment.createdAt) ?? timeOf(comment.created_at);
    return [{ comment_id: `${id}/${nameOf(comment.id) ?? i}`, author: textOf(author.login) ?? '', at, text }];
  });
}
