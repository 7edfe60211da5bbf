// The ready queue as one agent sees it: what it may take, most urgent first.
//
// Tasks ask for few different sets of capabilities, and a set is stored sorted, so that equal sets are equal texts. The
// sets that occur among ready tasks are found by jumping through their index; for each that the agent has, the head of
// its part of the queue is read. Tasks that ask for something else are never looked at, however many there are.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Principal } from '../../../kernel/operation.ts';
import type { Database } from '../../../storage/database.ts';
import { changeableWork } from '../../access/index.ts';
import type { TaskTables } from '../tables.ts';
import type { BoardPlace } from '../wip.ts';

type Reader = Database<TaskTables>['db'];

export interface Wanted {
  readonly principal: Principal;
  readonly capabilities: readonly string[];
  readonly project_id?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Only what an agent delegated to whoever can. */
  readonly delegated?: boolean;
}

/** What was looked at already and cannot be had. */
export interface Passed {
  readonly task_ids: readonly string[];
  readonly boards: readonly BoardPlace[];
}

const NOTHING_PASSED: Passed = { task_ids: [], boards: [] };

export interface Candidate {
  readonly task_id: string;
  readonly priority: number;
  readonly created_at: string;
}

/** More parts than this are read as one list, which the engine sorts. */
const PARTS_MAX_COUNT = 24;

/** Written out, not a parameter: else no engine takes the index of ready tasks. */
const READY = sql<SqlBool>`tasks.is_ready = 1`;

/** Sets of capabilities that ready tasks ask for, as they are stored. */
export async function neededSets(db: Pick<Reader, 'getExecutor'>): Promise<string[]> {
  const { rows } = await sql<{ required: string }>`with recursive needs (required) as (
      select min(required_capabilities) from tasks where is_ready = 1
      union all
      select (select min(required_capabilities) from tasks where is_ready = 1 and required_capabilities > needs.required)
      from needs where needs.required is not null
    ) select required from needs where required is not null`.execute(db);
  return rows.map(({ required }) => required);
}

/** Capabilities of a stored set that are not among these. */
export function missingFor(required: string, capabilities: readonly string[]): string[] {
  const able = new Set(capabilities.map((capability) => capability.toLowerCase()));
  return (JSON.parse(required) as string[]).filter((capability) => !able.has(capability.toLowerCase()));
}

/** Ready tasks assigned to this agent, most urgent first. Whoever assigned them has decided that it can do them. */
export function ownCandidates(db: Reader, wanted: Wanted, agent_id: string, limit: number, passed = NOTHING_PASSED) {
  return ordered(select(db, wanted, passed).where('assigned_agent_id', '=', agent_id))
    .limit(limit)
    .execute();
}

/** Ready tasks that are nobody's and need no more than these capabilities, most urgent first. */
export async function freeCandidates(
  db: Reader,
  wanted: Wanted,
  limit: number,
  passed: Passed = NOTHING_PASSED,
): Promise<readonly Candidate[]> {
  const sets = (await neededSets(db)).filter((required) => missingFor(required, wanted.capabilities).length === 0);
  const free = () => select(db, wanted, passed).where('assigned_agent_id', 'is', null);
  if (sets.length === 0) return [];
  if (sets.length > PARTS_MAX_COUNT)
    return ordered(free().where('required_capabilities', 'in', sets))
      .limit(limit)
      .execute();
  const parts = sets.map((required, i) =>
    db
      .selectFrom(
        ordered(free().where('required_capabilities', '=', required))
          .limit(limit)
          .as(`part_${i}`),
      )
      .selectAll(),
  );
  const [first, ...others] = parts;
  if (!first) return [];
  const all = others.reduce((joined, part) => joined.unionAll(part), first);
  return all.orderBy('priority').orderBy('created_at').orderBy('task_id').limit(limit).execute();
}

function select(db: Reader, wanted: Wanted, passed: Passed) {
  const { principal, project_id, tags = [], delegated = false } = wanted;
  let query = db
    .selectFrom('tasks')
    .select(['task_id', 'priority', 'created_at'])
    .where(READY)
    .where(changeableWork(principal, 'tasks'));
  if (project_id !== undefined) query = query.where('project_id', '=', project_id);
  for (const tag of tags) query = query.where(hasTag(tag));
  if (delegated) query = query.where('delegated_by', 'is not', null);
  if (passed.task_ids.length > 0) query = query.where('task_id', 'not in', passed.task_ids);
  for (const board of passed.boards) query = query.where(sql<SqlBool>`not ${onBoard(board)}`);
  return query;
}

type Select = ReturnType<typeof select>;

function ordered(query: Select): Select {
  return query.orderBy('priority').orderBy('created_at').orderBy('task_id');
}

function hasTag(tag: string): RawBuilder<SqlBool> {
  const text = JSON.stringify(tag).replace(/[!%_]/g, '!$&');
  return sql<SqlBool>`tags like ${`%${text}%`} escape '!'`;
}

/** Tasks of the same board, as SQL. */
function onBoard(place: BoardPlace): RawBuilder<SqlBool> {
  const { project_id, scope, team_id, user_id } = place;
  if (project_id !== null) return sql`coalesce(project_id = ${project_id}, false)`;
  const of =
    scope === 'team' ? sql` and team_id = ${team_id}` : scope === 'solo' ? sql` and user_id = ${user_id}` : sql``;
  return sql`(project_id is null and scope = ${scope}${of})`;
}
