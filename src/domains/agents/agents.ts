// The agents domain put together: what other domains ask of agents, and what the runtime does for them.
import { LRUCache } from 'lru-cache';
import { toIso } from '../../kernel/clock.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import type { Trx } from '../../storage/database.ts';
import { maySeeWork, type WorkFacts } from '../access/index.ts';
import { membershipsOf, type TeamTables } from '../teams/index.ts';
import { type BestAgent, bestAgent } from './choose.ts';
import type { AgentDeps, AgentTrx } from './deps.ts';
import { capabilitiesOfMachine } from './machine-groups.ts';
import { postMessages } from './messages.ts';
import { type AgentStatus, createPresence, type PresenceDeps } from './presence.ts';
import { prune } from './prune.ts';
import { capabilitiesIn } from './repository.ts';
import { matchingAgents } from './roster.ts';

const TOLD_MAX_COUNT = 10_000;

/** An agent that could take a task. */
export interface Candidate {
  readonly agent_id: string;
  readonly user_id: string;
  readonly machine_id: string;
  readonly role: string;
  readonly capabilities: readonly string[];
  readonly status: AgentStatus;
  readonly last_seen_at: string;
}

/** A message about a task. */
export interface TaskMessage {
  readonly to_agent_id: string;
  readonly kind: 'task' | 'offer' | 'note';
  readonly body: string;
  readonly task_id: string;
  /** Of that task, as it is now: whoever may not see it is not told of it. */
  readonly work: WorkFacts;
}

export interface Agents {
  /** What its operations work with. */
  readonly deps: AgentDeps;
  /** Agents the caller may see; those who are there first, then by id. */
  candidates(ctx: OperationContext): Promise<readonly Candidate[]>;
  /** The best agent there for a task that needs this, among agents of users who may work on it. */
  choose(
    ctx: OperationContext,
    needed: readonly string[],
    mayWork: (user_id: string) => Promise<boolean>,
  ): Promise<BestAgent>;
  /** What the caller can do: of its registered agent, else by its machine's group. */
  capabilitiesOf(ctx: OperationContext): readonly string[];
  /**
   * Puts a message into an agent's inbox, in the transaction of what it tells of. Unknown agents and full inboxes are
   * passed over: the roster and the agent's next registration show its tasks in any case. So are agents whose user may
   * not see the task at this moment: a name is no proof, and a member that left is told nothing more.
   */
  tell(trx: AgentTrx, ctx: OperationContext, message: TaskMessage): Promise<void>;
  /** After the commit of what was told: subscribers of the inboxes hear of it. */
  told(task_id: string): void;
  /** Forgets expired and acknowledged messages, and contexts of sessions not seen for a month. Returns how many rows. */
  prune(): Promise<number>;
}

export type AgentsOptions = Omit<AgentDeps, 'presence'> & Pick<PresenceDeps, 'onError'>;

export function createAgents({ onError, ...options }: AgentsOptions): Agents {
  const { store, tasks, machine_groups, changed } = options;
  const presence = createPresence({ store, tasks, onError });
  const deps: AgentDeps = { ...options, presence };
  const inboxes = new LRUCache<string, Set<string>>({ max: TOLD_MAX_COUNT });
  return {
    deps,
    candidates: (ctx) => candidates(deps, ctx),
    choose: (ctx, needed, mayWork) => bestAgent(deps, ctx, needed, mayWork),
    capabilitiesOf: ({ agent, principal }) =>
      agent?.capabilities ?? capabilitiesOfMachine(principal.machine_id, machine_groups),
    async tell(trx, ctx, { to_agent_id, work, ...message }) {
      const to = await trx
        .selectFrom('agents')
        .select(['agent_id', 'user_id'])
        .where('agent_id', '=', to_agent_id)
        .executeTakeFirst();
      if (!to || !(await maySee(store, trx, to.user_id, work))) return;
      await postMessages(store, trx, ctx.principal, [to], message);
      const waiting = inboxes.get(message.task_id) ?? new Set();
      inboxes.set(message.task_id, waiting.add(to_agent_id));
    },
    told(task_id) {
      for (const agent_id of inboxes.get(task_id) ?? []) changed('inbox', agent_id);
      inboxes.delete(task_id);
    },
    prune: () => prune(deps),
  };
}

async function candidates(deps: AgentDeps, ctx: OperationContext): Promise<readonly Candidate[]> {
  const all = await matchingAgents(deps, {}, ctx);
  return all.map(({ agent_id, user_id, machine_id, role, status, last_seen_at, ...row }) => ({
    ...{ agent_id, user_id, machine_id, role, status, last_seen_at },
    capabilities: capabilitiesIn(row),
  }));
}

async function maySee(store: AgentDeps['store'], trx: AgentTrx, user_id: string, work: WorkFacts): Promise<boolean> {
  const now = toIso(store.clock.now());
  const teams = work.scope === 'team' ? await membershipsOf(trx as unknown as Trx<TeamTables>, user_id, now) : [];
  return maySeeWork({ user_id, agent_id: '', machine_id: '', teams }, work).allowed;
}
