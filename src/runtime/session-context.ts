// What a session is about: the agent it acts as and the project it works in. One read before every call.
import { sql } from 'kysely';
import type { AgentTables } from '../domains/agents/index.ts';
import type { ProjectTables } from '../domains/projects/index.ts';
import type { ActingAgent, OperationContext, Principal } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';

export interface SessionContext {
  readonly agent?: ActingAgent | undefined;
  /** Who it is without an agent, where what it calls itself is the name of another user's agent. */
  readonly renamed?: string | undefined;
  /** With what decides who may see it. */
  readonly project?:
    | {
        readonly project_id: string;
        readonly name: string;
        readonly scope: string;
        readonly user_id: string;
        readonly team_id: string | null;
      }
    | undefined;
}

type ContextReader = Pick<Database<AgentTables & ProjectTables>['db'], 'selectFrom'>;

/**
 * The agent the session registered as. A session that registered none acts as the one agent that is registered for the
 * same user, client and machine, if there is exactly one: a client that was restarted goes on as who it was. So does a
 * program that calls itself by the id of an agent of its own user, as scripts do in a header. A credential that names its
 * agent or machine acts as no other, whatever session it is in.
 */
export async function sessionContextOf(
  db: ContextReader,
  { principal, session }: Pick<OperationContext, 'principal' | 'session'>,
): Promise<SessionContext> {
  const rows = await contextRows(db, { principal, session });
  const [first] = rows;
  if (!first) return {};
  const { agent_id, capabilities } = first;
  const agent =
    rows.length === 1 && agent_id !== null && capabilities !== null
      ? { agent_id, client: principal.agent_id, capabilities: JSON.parse(capabilities) as string[] }
      : undefined;
  const renamed = !agent && first.is_taken ? await ownName(db, principal) : undefined;
  return { agent, renamed, project: projectIn(first) };
}

/** What a program calls itself is no proof: with its user appended until no agent of anybody else is named so. */
async function ownName(db: ContextReader, { user_id, agent_id }: Principal): Promise<string> {
  for (let name = `${agent_id}-${user_id}`; ; name = `${name}-${user_id}`) {
    const taken = await db
      .selectFrom('agents')
      .select('agent_id')
      .where('agent_id', '=', name)
      .where('user_id', '<>', user_id)
      .executeTakeFirst();
    if (!taken) return name;
  }
}

type ContextRow = Awaited<ReturnType<typeof contextRows>>[number];

function projectIn({ project_id, project_name, scope, project_user, team_id }: ContextRow): SessionContext['project'] {
  if (project_id === null || project_name === null || scope === null || project_user === null) return undefined;
  return { project_id, name: project_name, scope, user_id: project_user, team_id };
}

/** One row; two where several agents could be meant. */
function contextRows(db: ContextReader, { principal, session }: Pick<OperationContext, 'principal' | 'session'>) {
  const { user_id, agent_id: client, machine_id, credential } = principal;
  const fixed = { agent_id: credential?.agent_id, machine_id: credential?.machine_id };
  return db
    .selectFrom(sql<{ one: number }>`(select 1 as one)`.as('call'))
    .leftJoin('session_contexts as context', (join) =>
      // The key has the user in it already; a context must never reach anybody else.
      join.on('context.session_key', '=', session.key).on('context.user_id', '=', user_id),
    )
    .leftJoin('agents', (join) =>
      join.on((eb) => {
        const adopted = eb.and([
          eb('context.agent_id', 'is', null),
          eb.or([
            eb('agents.agent_id', '=', client),
            eb.and([eb('agents.client', '=', client), eb('agents.machine_id', '=', machine_id)]),
          ]),
        ]);
        const meant = [
          eb('agents.user_id', '=', user_id),
          fixed.agent_id === undefined
            ? eb.or([eb('agents.agent_id', '=', eb.ref('context.agent_id')), adopted])
            : eb('agents.agent_id', '=', fixed.agent_id),
        ];
        if (fixed.machine_id !== undefined) meant.push(eb('agents.machine_id', '=', fixed.machine_id));
        return eb.and(meant);
      }),
    )
    .leftJoin('projects', 'projects.project_id', 'context.project_id')
    .select(['agents.agent_id', 'agents.capabilities'])
    .select((eb) =>
      eb
        .exists(
          eb
            .selectFrom('agents as other')
            .select('other.agent_id')
            .where('other.agent_id', '=', client)
            .where('other.user_id', '<>', user_id),
        )
        .as('is_taken'),
    )
    .select(['projects.project_id', 'projects.name as project_name', 'projects.scope'])
    .select(['projects.user_id as project_user', 'projects.team_id'])
    .limit(2)
    .execute();
}
