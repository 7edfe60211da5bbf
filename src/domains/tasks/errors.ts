// Errors of the tasks domain.
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import { nextOf, type Status } from './statuses.ts';

/** A task that is absent or not visible: the two are not told apart. */
export function taskNotFound(task_id: string): HaivemindError {
  return failure('not_found', `There is no task ${task_id}.`, 'list_kanban_tasks shows the tasks you may see.', {
    details: { task_id },
  });
}

export function illegalTransition(task_id: string, from: Status, to: Status): HaivemindError {
  const legal = nextOf(from);
  return failure(
    'conflict',
    `Task ${task_id} is ${from}; it cannot go to ${to}.`,
    `From ${from} it can go to ${legal.join(', ')}.`,
    { details: { task_id, status: from, legal: [...legal] } },
  );
}

/**
 * A circle of tasks, each waiting for the next; the first stands at the end again. Null: not for the caller's eyes, or not
 * made yet. Titles are others' words: they are in the details alone.
 */
export function circular(
  circle: readonly { readonly task_id: string | null; readonly title: string | null }[],
): HaivemindError {
  const path = circle.map(({ task_id, title }) =>
    task_id === null ? (title === null ? 'a task you may not see' : 'the new task') : task_id,
  );
  return failure(
    'conflict',
    `None of these could ever begin, each waiting for the next: ${path.join(' -> ')}.`,
    'Leave out one of these edges: update_kanban_task takes away dependencies that are not needed.',
    { details: { cycle: circle.map(({ task_id, title }) => ({ task_id, title })) } },
  );
}

/** Who sees a task may see all that it waits for. */
export function hiddenBlocker(
  task_id: string,
  place: { readonly scope: string; readonly team_id: string | null },
): HaivemindError {
  const whose = place.scope === 'team' ? `A task of team ${place.team_id}` : 'A shared task';
  return failure(
    'invalid_input',
    `${whose} cannot wait for ${task_id}, which not everybody who sees the one may see.`,
    'Put both into the same place (scope, team_id), or leave the dependency out.',
    { details: { task_id, scope: place.scope, team_id: place.team_id } },
  );
}

export function partElsewhere(parent_id: string): HaivemindError {
  return failure(
    'invalid_input',
    `A part is where its story is, and ${parent_id} is in another place.`,
    'Leave scope and team_id out: the part goes to the place of its story.',
    { details: { parent_id } },
  );
}

export function tooDeep(parent_id: string, levels: number): HaivemindError {
  return failure(
    'limit_exceeded',
    `Parts of parts go ${levels} levels deep; below ${parent_id} there is no further one.`,
    'Give it the parent of that task, or none.',
    { details: { parent_id, levels } },
  );
}

export function storyIsOver(parent_id: string, status: Status): HaivemindError {
  return failure(
    'conflict',
    `Story ${parent_id} is ${status}; it takes no further parts.`,
    'Open it again first: update_kanban_task status=todo.',
    { details: { parent_id, status } },
  );
}

/** An agent that is absent or not visible: the two are not told apart. */
export function agentNotFound(agent_id: string): HaivemindError {
  return failure('not_found', `There is no agent ${agent_id}.`, 'get_agent_roster shows the agents you may see.', {
    details: { agent_id },
  });
}

/** Nobody is given work they may not touch. */
export function blindAssignee(agent_id: string): HaivemindError {
  return failure(
    'invalid_input',
    `Agent ${agent_id} may not work on this task where it is.`,
    'Choose a place (scope, team_id) its user works in too, or another agent.',
    { details: { agent_id } },
  );
}

/** A task is where its project is: else some would see the board with holes. */
export function projectElsewhere(task_id: string): HaivemindError {
  return failure(
    'invalid_input',
    `The project is not where task ${task_id} is: others see the one than the other.`,
    'Choose a project of the same scope and team, or create the task there.',
    { details: { task_id } },
  );
}

/** Others learn from why something did not work. */
export function reasonNeeded(task_id: string): HaivemindError {
  return failure(
    'invalid_input',
    `Task ${task_id} cannot fail without a reason.`,
    'Say in resolution (or comment) what was tried and why it did not work.',
    { details: { task_id, field: 'resolution' } },
  );
}

export function nothingToChange(task_id: string): HaivemindError {
  return failure(
    'invalid_input',
    `Nothing is said about task ${task_id} that could be written.`,
    'Give a field to change or a comment; task_id with fencing_token alone keeps a claim alive.',
    { details: { task_id } },
  );
}

/** A version the task has not reached. */
export function versionUnknown(task_id: string, version: number, expected_version: number): HaivemindError {
  return failure(
    'invalid_input',
    `Task ${task_id} is at version ${version}; there is no version ${expected_version} yet.`,
    'Send the version of the task as you read it.',
    { details: { task_id, version, expected_version } },
  );
}

interface Named {
  readonly task_id: string;
  readonly title: string;
  readonly status: string;
}

const NAMED_MAX_COUNT = 20;

const named = ({ task_id, title, status }: Named) => ({ task_id, title, status });

function namesOf(tasks: readonly Named[], count: number): string {
  const shown = tasks.slice(0, NAMED_MAX_COUNT).map(({ task_id, status }) => `${task_id} (${status})`);
  const more = count - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

/** A task that is to be deleted and that others hang on; those the caller may not see are counted only. */
export function hasDependants(task_id: string, seen: readonly Named[], count: number): HaivemindError {
  return failure(
    'conflict',
    `Others wait for task ${task_id} or are parts of it: ${namesOf(seen, count)}.`,
    'detach=true cuts them off and keeps them; cascade=true deletes them too, with all that hangs on them.',
    { details: { task_id, dependants: seen.map((task) => task.task_id), tasks: seen.map(named), count } },
  );
}

export function hiddenDependants(task_id: string, count: number): HaivemindError {
  return failure(
    'forbidden',
    `With task ${task_id} would go ${count} that you may not see.`,
    'detach=true cuts them off and keeps them.',
    { details: { task_id, hidden: count } },
  );
}

/** Tasks that are to be deleted while somebody works on them. */
export function heldTasks(held: readonly (Named & { readonly holder_agent_id: string | null })[]): HaivemindError {
  const list = held.slice(0, NAMED_MAX_COUNT).map((task) => `${task.task_id} (${task.holder_agent_id})`);
  return failure(
    'conflict',
    `Agents work on what is to be deleted: ${list.join(', ')}.`,
    'Wait until they are done, or delete it with force=true: their next write is refused.',
    { details: { held: held.map(({ holder_agent_id, ...task }) => ({ ...named(task), holder_agent_id })) } },
  );
}
