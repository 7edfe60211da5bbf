// Why a claim is not made, and why what its holder alone may write is refused.
import { failure, type HaivemindError } from '../../../kernel/errors.ts';
import type { TaskRow } from '../record.ts';
import type { Status } from '../statuses.ts';
import type { FullBoard } from '../wip.ts';

/** A write with the token of a claim that is over, or with one that never was. */
export function tokenIsOld(row: TaskRow, fencing_token: number, held: boolean): HaivemindError {
  const { task_id, status, lease_expires_at } = row;
  const holder_agent_id = held ? row.holder_agent_id : null;
  const who = held ? `${holder_agent_id} holds it now` : `it is ${status}, and nobody holds it`;
  const hint = held
    ? `Stop working on it: your last state went into nothing. A comment for ${holder_agent_id} is still possible, without fencing_token.`
    : `claim_next task_id=${task_id} claims it again, where it is still to be done.`;
  return failure('conflict', `Claim ${fencing_token} of task ${task_id} is over: ${who}. Nothing was written.`, hint, {
    details: { task_id, status, holder_agent_id, lease_expires_at, fencing_token },
  });
}

/** A write without a token from the session whose claim ended last without its doing. */
export function claimWasLost({ task_id, status, version }: TaskRow): HaivemindError {
  return failure(
    'conflict',
    `Your claim of task ${task_id} has ended: it is ${status}, and nobody holds it. Nothing was written.`,
    `claim_next task_id=${task_id} claims it again; without a claim, read it and send expected_version=${version}. Comments need neither.`,
    { details: { task_id, status, holder_agent_id: null, version } },
  );
}

/** A write from somebody else than the holder. */
export function heldByAnother(row: TaskRow): HaivemindError {
  const { task_id, holder_agent_id, lease_expires_at } = row;
  const until = lease_expires_at === null ? 'without an end' : `until ${lease_expires_at}`;
  return failure(
    'conflict',
    `${holder_agent_id} holds task ${task_id} ${until}: status, progress and resolution are its to write.`,
    'If the claim is yours, send its fencing_token as the agent that made it. Comments need none. assign_kanban_task takes the task away from its holder.',
    { details: { task_id, holder_agent_id, lease_expires_at } },
  );
}

export function assignedToAnother({ task_id, assigned_agent_id }: TaskRow): HaivemindError {
  return failure(
    'conflict',
    `Task ${task_id} is assigned to ${assigned_agent_id}.`,
    'assign_kanban_task gives it to another agent, or to none with unassign=true.',
    { details: { task_id, assigned_agent_id } },
  );
}

export function lacksCapabilities(task_id: string, missing: readonly string[]): HaivemindError {
  return failure(
    'conflict',
    `Task ${task_id} needs ${missing.length} capabilities that you do not say you have.`,
    'The details name them. Register with these capabilities, or give capabilities with this call.',
    { details: { task_id, missing: [...missing] } },
  );
}

/** Titles are others' words: in the details, never in a sentence of ours. */
const toNamed = ({ task_id, title, status }: { task_id: string; title: string; status: string }) => ({
  ...{ task_id, title, status },
});

/** A task to begin that waits for others; those the caller may not see are counted only. */
export function waitsForOthers(
  row: Pick<TaskRow, 'task_id'>,
  open: readonly { readonly task_id: string; readonly title: string; readonly status: string }[],
  count: number,
  what: 'dependencies' | 'parts' | 'stories above it',
): HaivemindError {
  const named = open.map(({ task_id, status }) => `${task_id} (${status})`);
  const more = count - open.length;
  const list = [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ');
  return failure(
    'conflict',
    `Task ${row.task_id} waits for ${what}: ${list}.`,
    what === 'parts'
      ? 'Finish or cancel them first.'
      : 'Finish or cancel them, or take dependencies that are not needed away with remove_dependencies.',
    { details: { task_id: row.task_id, waits_for: open.map((task) => task.task_id), tasks: open.map(toNamed), count } },
  );
}

export function boardIsFull(task_id: string, status: Status, { limit, what }: FullBoard): HaivemindError {
  return failure(
    'limit_exceeded',
    `${what}, and ${limit} is the limit: task ${task_id} cannot go to ${status}.`,
    'Finish something first, or raise the limit in the settings of the project or claudeops.tasks.',
    { details: { task_id, status, limit } },
  );
}
