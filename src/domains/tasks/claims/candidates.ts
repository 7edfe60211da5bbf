// The ready queue as one agent sees it: what it may take, most urgent first.
//
// Tasks ask for few different sets of capabilities, and a set is stored sorted, so that equal sets are equal texts. The
// sets that occur among the ready tasks of a place (one's own, a team's, shared) are found by jumping through that
// place's index; for each that the agent has, the head of its part of the queue is read. Tasks that ask for something
// else, or that others have for themselves, are never looked at, however many there are.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Principal } from '../../../kernel/operation.ts';
import type { Database } from '../../../storage/database.ts';
import { changeablePlaces, changeableWork } from '../../access/index.ts';
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
const PARTS_MAX_COUNT = 48;

/** Written out, not a parameter: else no engine takes the index of ready tasks. */
const READY = sql<SqlBool>`tasks.is_ready = 1`;

type Place = RawBuilder<SqlBool>;

interface Part {
  readonly place: Place;
  /** A set of capabilities as it is stored. */
  readonly required: string;
}

/** Which sets of capabilities the ready tasks of each place ask for. */
async function neededSets(db: Pick<Reader, 'getExecutor'>, places: readonly Place[]): Promise<Part[]> {
  const walks = places.map((place, i) => {
    const needs = sql.ref(`needs_${i}`);
    return sql`${needs} (required) as (
      select min(required_capabilities) from tasks where ${READY} and ${place}
      union all
      select (select min(required_capabilities) from tasks where ${READY} and ${place} and required_capabilities > ${needs}.required)
      from ${needs} where ${needs}.required is not null
    )`;
  });
  const found = places.map(
    (_, i) => sql`select ${sql.lit(i)} as place, required from ${sql.ref(`needs_${i}`)} where required is not null`,
  );
  const { rows } = await sql<{ place: number; required: string }>`with recursive ${sql.join(walks)}
    ${sql.join(found, sql` union all `)}`.execute(db);
  return rows.flatMap(({ place: i, required }) => {
    const place = places[i];
    return place ? [{ place, required }] : [];
  });
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
  const needed = await neededSets(db, changeablePlaces(wanted.principal, 'tasks'));
  const able = needed.filter(({ required }) => missingFor(required, wanted.capabilities).length === 0);
  const free = () => select(db, wanted, passed).where('assigned_agent_id', 'is', null);
  if (able.length > PARTS_MAX_COUNT) {
    const sets = [...new Set(able.map(({ required }) => required))];
    return ordered(free().where('required_capabilities', 'in', sets))
      .limit(limit)
      .execute();
  }
  const parts = able.map(({ place, required }, i) =>
    db
      .selectFrom(
        ordered(free().where(place).where('required_capabilities', '=', required))
          .limit(limit)
          .as(`part_${i}`),
      )
      .selectAll(),
  );
  const [first, ...others] = parts;
  if (!first) return [];
  // What is shared and one's own comes by both.
  const all = others.reduce((joined, part) => joined.union(part), first);
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
