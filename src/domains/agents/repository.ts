// Rows of agents: who may be seen, and when they were last heard of.
import type { Selectable } from 'kysely';
import type { Principal } from '../../kernel/operation.ts';
import { ofColleagues } from '../teams/index.ts';
import type { AgentReader } from './deps.ts';
import type { AgentTable } from './tables.ts';

export type AgentRow = Selectable<AgentTable>;

/** An agent with the time it was last heard of: of its latest call, else of its registration. */
export type SeenAgent = AgentRow & { readonly last_seen_at: string; readonly last_call: string | null };

/** Agents the principal may see, by id. `now`: ISO time. */
export async function listVisible(
  db: AgentReader,
  principal: Principal,
  now: string,
  only: { readonly agent_id?: string; readonly machine?: string | undefined; readonly role?: string | undefined } = {},
): Promise<SeenAgent[]> {
  let query = db
    .selectFrom('agents')
    .leftJoin('agent_presence', 'agent_presence.agent_id', 'agents.agent_id')
    .selectAll('agents')
    .select(['agent_presence.last_seen_at', 'agent_presence.last_call'])
    .where(ofColleagues(principal, 'agents.user_id', now))
    .orderBy('agents.agent_id');
  if (only.agent_id !== undefined) query = query.where('agents.agent_id', '=', only.agent_id);
  if (only.machine !== undefined) query = query.where('agents.machine_id', '=', only.machine);
  if (only.role !== undefined) query = query.where('agents.role', '=', only.role);
  const rows = await query.execute();
  return rows.map((row) => ({ ...row, last_seen_at: latest(row.registered_at, row.last_seen_at) }));
}

/** The agent, where the principal may see it. */
export async function findVisible(
  db: AgentReader,
  agent_id: string,
  principal: Principal,
  now: string,
): Promise<SeenAgent | undefined> {
  return (await listVisible(db, principal, now, { agent_id }))[0];
}

export function latest(one: string, other: string | null | undefined): string {
  return other !== null && other !== undefined && other > one ? other : one;
}

export function capabilitiesIn(row: Pick<AgentTable, 'capabilities'>): readonly string[] {
  return JSON.parse(row.capabilities) as string[];
}
