// The best agent that is there for a task somebody else has made: decided as delegate_task decides.
import { toIso } from '../../kernel/clock.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import { namedOf, rank, recordOf, whyChosen } from './delegation.ts';
import type { AgentDeps } from './deps.ts';
import { listVisible } from './repository.ts';

const NAMED_MAX_COUNT = 5;

export interface BestAgent {
  /** Undefined: nobody who is there can do it. */
  readonly agent_id: string | undefined;
  readonly user_id: string | undefined;
  /** What decided, in words. */
  readonly reason: string;
}

/** `mayWork`: whether agents of a user may work on the task where it is. */
export async function bestAgent(
  deps: AgentDeps,
  ctx: OperationContext,
  needed: readonly string[],
  mayWork: (user_id: string) => Promise<boolean>,
): Promise<BestAgent> {
  const visible = await listVisible(deps.store.db, ctx.principal, toIso(deps.store.clock.now()));
  const there: (typeof visible)[number][] = [];
  for (const agent of visible) if (await mayWork(agent.user_id)) there.push(agent);
  const considered = await rank(deps, needed, ctx, there);
  const [best] = considered;
  const user_id = there.find(({ agent_id }) => agent_id === best?.agent_id)?.user_id;
  if (best && best.score !== null) return { agent_id: best.agent_id, user_id, reason: whyChosen(best, considered) };
  const { named, lacking } = namedOf(considered, NAMED_MAX_COUNT);
  const why = named.map((one) => `${one.agent_id}: ${recordOf(one)}`);
  if (lacking > 0) why.push(`${lacking} more lack what it needs`);
  const reason =
    why.length === 0 ? 'No agent is there that may work on it.' : `Nobody is there for it (${why.join('; ')}).`;
  return { agent_id: undefined, user_id: undefined, reason };
}
