// Where delegated work goes, so that whoever is to do it may: the place that was said or follows from project and mode,
// else, for a colleague's agent, the one team that both share.
import { toIso } from '../../kernel/clock.ts';
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import { type OperationContext, type Principal, SOLO } from '../../kernel/operation.ts';
import { mayChangeWork, type WorkPlace } from '../access/index.ts';
import { membershipsOf, type TeamTables } from '../teams/index.ts';
import type { AgentDeps, WantedWorkPlace } from './deps.ts';
import type { AgentRow } from './repository.ts';

type Deps = Pick<AgentDeps, 'store' | 'placeOf'>;

/** Answers whether a user may work on what the caller puts into a place; each user is looked up once. */
export function workersAt({ store }: Deps, { principal }: OperationContext) {
  const known = new Map<string, Promise<Pick<Principal, 'user_id' | 'teams'>>>();
  const lookUp = async (user_id: string) => {
    const teams = await membershipsOf(store.withTables<TeamTables>().db, user_id, toIso(store.clock.now()));
    return { user_id, teams };
  };
  const memberships = (user_id: string) => {
    const found = known.get(user_id) ?? lookUp(user_id);
    known.set(user_id, found);
    return found;
  };
  return {
    async mayWork(user_id: string, place: WorkPlace): Promise<boolean> {
      const worker = { agent_id: '', machine_id: '', ...(await memberships(user_id)) };
      return mayChangeWork(worker, { ...place, user_id: principal.user_id }).allowed;
    },
    async teamsOf(user_id: string) {
      return (await memberships(user_id)).teams ?? [];
    },
  };
}

type Workers = ReturnType<typeof workersAt>;

/**
 * The place of a task for a certain agent. Errors: those of `placeOf`, and `invalid_input` where its user could not work
 * there: no place was said and several teams are shared or none is, or the wrong one was said.
 */
export async function placeForAgent(
  deps: Deps,
  wanted: WantedWorkPlace,
  ctx: OperationContext,
  agent: Pick<AgentRow, 'agent_id' | 'user_id'>,
  workers: Workers,
): Promise<WorkPlace> {
  const place = await deps.placeOf(wanted, ctx);
  if (await workers.mayWork(agent.user_id, place)) return place;
  const common = await commonTeams(ctx.principal, agent.user_id, workers);
  const [only, ...others] = common;
  if (!isSaid(wanted, ctx) && only && others.length === 0) return { scope: 'team', team_id: only.team_id };
  throw notThere(agent, common);
}

function isSaid(wanted: WantedWorkPlace, { mode = SOLO, project }: OperationContext): boolean {
  return Object.values(wanted).some((value) => value !== undefined) || mode.mode === 'team' || project !== undefined;
}

/** Teams in which both may work. */
async function commonTeams(principal: Principal, user_id: string, workers: Workers) {
  const theirs = await workers.teamsOf(user_id);
  const open = new Set(theirs.filter(({ capabilities }) => mayWorkIn(capabilities)).map(({ team_id }) => team_id));
  return (principal.teams ?? []).filter((team) => mayWorkIn(team.capabilities) && open.has(team.team_id));
}

function mayWorkIn(capabilities: NonNullable<Principal['teams']>[number]['capabilities']): boolean {
  return capabilities.has('work.read') && capabilities.has('work.write');
}

function notThere(
  { agent_id, user_id }: Pick<AgentRow, 'agent_id' | 'user_id'>,
  common: readonly { readonly team_id: string; readonly team_name: string }[],
): HaivemindError {
  const names = common.map(({ team_id, team_name }) => `${team_id} (${team_name})`).join(', ');
  return failure(
    'invalid_input',
    `${agent_id} is an agent of ${user_id}, who may not work on a task there.`,
    common.length > 0 ? `Give team_id, one of ${names}.` : 'Choose one of your own agents, or share a team first.',
    { details: { agent_id, team_ids: common.map(({ team_id }) => team_id) } },
  );
}
