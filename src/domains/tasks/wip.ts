// Limits of work in progress: how many tasks a column of a board holds, and how many one agent holds at once.
//
// A board is a project; tasks without a project are one board in each place (a user's own, a team's, the shared one).
import { HaivemindError } from '../../kernel/errors.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import type { TaskDeps, TaskTrx, WipLimits } from './deps.ts';
import type { TaskRow } from './record.ts';
import type { Status } from './statuses.ts';

export type BoardPlace = Pick<TaskRow, 'project_id' | 'scope' | 'team_id' | 'user_id'>;

/** What is full, in words for the reader. */
export interface FullBoard {
  readonly limit: number;
  readonly what: string;
}

/**
 * The limits of a task's board: the project's, and those of the configuration where it has none of its own, or where the
 * caller may see the task and not its project.
 */
export async function limitsOf(deps: TaskDeps, ctx: OperationContext, place: BoardPlace): Promise<WipLimits> {
  const configured = deps.settings.wip;
  if (place.project_id === null) return configured;
  try {
    const { wip } = await deps.projects.projectFor(place.project_id, ctx);
    return {
      columns: { ...configured.columns, ...wip.columns },
      per_agent: wip.per_agent ?? configured.per_agent,
    };
  } catch (error) {
    if (error instanceof HaivemindError && error.code === 'not_found') return configured;
    throw error;
  }
}

/**
 * Why one more task cannot enter this column, or be held by this agent; undefined where it can. Where there is a limit,
 * others that want to enter the same board wait until this transaction ends, so that two do not take the last place.
 */
export async function fullFor(
  { store }: Pick<TaskDeps, 'store'>,
  trx: TaskTrx,
  wip: WipLimits,
  wanted: { readonly place: BoardPlace; readonly status: Status; readonly holder?: string | undefined },
): Promise<FullBoard | undefined> {
  const { place, status, holder } = wanted;
  const limit = (wip.columns as Readonly<Partial<Record<Status, number>>>)[status];
  if (limit !== undefined) {
    await store.dialect.serialise(trx, `wip ${boardOf(place)}`);
    const count = await countColumn(trx, place, status);
    if (count >= limit) return { limit, what: `${nameOf(place)} has ${count} tasks in ${status}` };
  }
  if (holder !== undefined && wip.per_agent !== undefined) {
    await store.dialect.serialise(trx, `wip agent ${holder}`);
    const held = await countHeld(trx, holder);
    if (held >= wip.per_agent) return { limit: wip.per_agent, what: `${holder} holds ${held} tasks` };
  }
  return undefined;
}

function nameOf({ project_id, scope, team_id }: BoardPlace): string {
  if (project_id !== null) return `Project ${project_id}`;
  return scope === 'team' ? `The board of team ${team_id}` : `The ${scope} board`;
}

/** Names a board: equal for tasks of one. */
export function boardOf({ project_id, scope, team_id, user_id }: BoardPlace): string {
  if (project_id !== null) return `project ${project_id}`;
  return scope === 'team' ? `team ${team_id}` : scope === 'solo' ? `solo ${user_id}` : scope;
}

async function countColumn(trx: TaskTrx, place: BoardPlace, status: Status): Promise<number> {
  const { project_id, scope, team_id, user_id } = place;
  let query = trx.selectFrom('tasks').where('status', '=', status);
  if (project_id !== null) query = query.where('project_id', '=', project_id);
  else {
    query = query.where('project_id', 'is', null).where('scope', '=', scope);
    if (scope === 'team') query = query.where('team_id', '=', team_id);
    else if (scope === 'solo') query = query.where('user_id', '=', user_id);
  }
  const { count } = await query.select((eb) => eb.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
  return Number(count);
}

async function countHeld(trx: TaskTrx, agent_id: string): Promise<number> {
  const { count } = await trx
    .selectFrom('tasks')
    .where('holder_agent_id', '=', agent_id)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}
