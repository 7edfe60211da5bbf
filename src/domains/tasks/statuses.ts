// The columns of the board and the ways between them.
export const STATUSES = ['backlog', 'todo', 'in_progress', 'blocked', 'review', 'done', 'failed', 'cancelled'] as const;
export type Status = (typeof STATUSES)[number];

const NEXT: Readonly<Record<Status, readonly Status[]>> = {
  backlog: ['todo', 'cancelled'],
  todo: ['backlog', 'in_progress', 'blocked', 'cancelled'],
  in_progress: ['todo', 'blocked', 'review', 'done', 'failed', 'cancelled'],
  blocked: ['backlog', 'todo', 'in_progress', 'failed', 'cancelled'],
  review: ['in_progress', 'done', 'failed', 'cancelled'],
  // Over, and open again where it was not over after all.
  done: ['todo'],
  failed: ['todo', 'cancelled'],
  cancelled: ['backlog', 'todo'],
};

/** Statuses a task may go to from this one. */
export function nextOf(status: Status): readonly Status[] {
  return NEXT[status];
}

/** Nothing more is to be done. */
export function isOver(status: Status): boolean {
  return status === 'done' || status === 'failed' || status === 'cancelled';
}

/** What waits for the task may begin: it is done, or it will not be. A failed one has to be decided upon first. */
export function satisfies(status: Status): boolean {
  return status === 'done' || status === 'cancelled';
}

export const PRIORITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

export function rankOf(priority: Priority): number {
  return PRIORITIES.indexOf(priority);
}

export function priorityOf(rank: number): Priority {
  return PRIORITIES[rank] ?? 'low';
}
