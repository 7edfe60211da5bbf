// Why there is nothing to claim, in numbers: what is ready for others, what waits, which limits are reached.
import { type SqlBool, sql } from 'kysely';
import { z } from 'zod';
import type { OperationContext } from '../../../kernel/operation.ts';
import { changeableWork } from '../../access/index.ts';
import type { TaskReader } from '../deps.ts';
import { missingFor } from './candidates.ts';
import type { ClaimRequest, NothingClaimed } from './next.ts';

const SETS_MAX_COUNT = 5;

export const waitingSchema = z.object({
  needs_other_capabilities: z
    .array(
      z.object({
        required_capabilities: z.array(z.string()).describe('What they need.'),
        missing: z.array(z.string()).describe('What you lack of it.'),
        tasks: z.number().describe('How many.'),
      }),
    )
    .describe('Ready, and for agents that can do more; the largest groups.'),
  assigned_to_others: z.number().describe('Ready, and for one agent each.'),
  waiting: z.number().describe('In todo behind dependencies, parts or a story that waits.'),
  in_progress: z.number().describe('Somebody works on them.'),
  blocked: z.number().describe('In the column blocked.'),
  limits_reached: z.array(z.string()).describe('Full columns and agents.'),
});
export type Waiting = z.output<typeof waitingSchema>;

/** What there is besides, among the tasks the caller may change and asked for. */
export async function whatWaits(
  db: TaskReader,
  ctx: OperationContext,
  { project_id, capabilities }: Pick<ClaimRequest, 'project_id'> & { readonly capabilities: readonly string[] },
  { full }: NothingClaimed,
): Promise<Waiting> {
  const mine = (query = db.selectFrom('tasks').where(changeableWork(ctx.principal, 'tasks'))) =>
    project_id === undefined ? query : query.where('project_id', '=', project_id);
  const ready = await mine()
    .where(sql<SqlBool>`tasks.is_ready = 1`)
    .select(['required_capabilities', sql<number>`count(*)`.as('tasks')])
    .select(sql<number>`coalesce(sum(case when assigned_agent_id is null then 1 else 0 end), 0)`.as('free'))
    .select(
      sql<number>`coalesce(sum(case when assigned_agent_id <> ${ctx.principal.agent_id} then 1 else 0 end), 0)`.as(
        'others',
      ),
    )
    .groupBy('required_capabilities')
    .execute();
  const columns = await mine()
    .where('status', 'in', ['todo', 'in_progress', 'blocked'])
    .where('is_ready', '=', 0)
    .select(['status', sql<number>`count(*)`.as('tasks')])
    .groupBy('status')
    .execute();
  const inColumn = (status: string) => Number(columns.find((column) => column.status === status)?.tasks ?? 0);
  const beyond = ready
    .map(({ required_capabilities, free }) => ({
      required_capabilities: JSON.parse(required_capabilities) as string[],
      missing: missingFor(required_capabilities, capabilities),
      tasks: Number(free),
    }))
    .filter(({ missing, tasks }) => missing.length > 0 && tasks > 0)
    .sort((a, b) => b.tasks - a.tasks);
  return {
    needs_other_capabilities: beyond.slice(0, SETS_MAX_COUNT),
    assigned_to_others: ready.reduce((sum, { others }) => sum + Number(others), 0),
    waiting: inColumn('todo'),
    in_progress: inColumn('in_progress'),
    blocked: inColumn('blocked'),
    limits_reached: full.map(({ what, limit }) => `${what}, and ${limit} is the limit`),
  };
}

/** What those need that are for agents who can do more: words of whoever made the tasks. */
export function neededLines({ needs_other_capabilities }: Waiting): string[] {
  return needs_other_capabilities.map(({ tasks, missing }) => `${tasks} ready need ${missing.join(', ')} as well`);
}

/** The same in one sentence each, without others' words. */
export function whyNothing(waiting: Waiting, { contended }: NothingClaimed): string {
  const { needs_other_capabilities, assigned_to_others, in_progress, blocked, limits_reached } = waiting;
  const more = needs_other_capabilities.reduce((sum, { tasks }) => sum + tasks, 0);
  const groups = needs_other_capabilities.length;
  const parts = [
    ...limits_reached,
    contended > 0 ? `${contended} ready ones were being changed by others at this moment: try again` : '',
    more > 0 ? `${more}${groups === SETS_MAX_COUNT ? ' or more' : ''} ready need more than you can do` : '',
    assigned_to_others > 0 ? `${assigned_to_others} ready are assigned to others` : '',
    waiting.waiting > 0 ? `${waiting.waiting} wait for other tasks` : '',
    in_progress > 0 ? `${in_progress} are in progress` : '',
    blocked > 0 ? `${blocked} are blocked` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'Nothing is to be done.' : `Nothing to claim: ${parts.join('; ')}.`;
}
