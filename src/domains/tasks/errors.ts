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
