// Delegating: a task for an agent that was named or is best for it, and a message to that agent, in one transaction.
// Where nobody can do it the task waits: agents that could and are away find an offer, and so does who registers later.
import { toIso } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { OperationContext } from '../../kernel/operation.ts';
import type { WorkPlace } from '../access/index.ts';
import { placeForAgent, workersAt } from './delegation-place.ts';
import { type Ranked, rankContenders } from './delegation-rank.ts';
import type { AgentDeps, DelegatedTask, WantedWorkPlace } from './deps.ts';
import { agentNotFound, lacksCapabilities } from './errors.ts';
import { type MessageRow, postMessages, type Recipient } from './messages.ts';
import { capabilitiesIn, latest, listVisible, type SeenAgent } from './repository.ts';
import { assertScopes } from './scopes.ts';

const OUTCOMES_MS = 30 * 24 * 60 * 60 * 1000;
const TITLE_CHARS = 120;

export interface Delegation extends WantedWorkPlace {
  readonly task_description: string;
  readonly required_capabilities: readonly string[];
  readonly priority: DelegatedTask['priority'];
  /** ISO time. */
  readonly deadline?: string | undefined;
  readonly agent_id?: string | undefined;
}

export interface Delegated {
  readonly task: { readonly task_id: string; readonly title: string; readonly status: string };
  readonly place: WorkPlace;
  /** Undefined: it waits for somebody. */
  readonly chosen: SeenAgent | undefined;
  readonly reason: string;
  /** Needed capabilities that nobody has who may work there. */
  readonly missing: readonly string[];
  readonly considered: readonly Ranked[];
  /** The message to the agent, or offers to those who could do it and are away. */
  readonly messages: readonly MessageRow[];
}

interface Choice extends Pick<Delegated, 'place' | 'chosen' | 'reason' | 'missing' | 'considered'> {
  readonly offers: readonly Recipient[];
}

/**
 * Errors: `not_found` for an agent, a project or a team out of sight; `invalid_input` for a named agent that lacks a
 * capability or whose user may not work in that place; those of creating a task.
 */
export async function delegate(deps: AgentDeps, wanted: Delegation, ctx: OperationContext): Promise<Delegated> {
  assertScopes(ctx.principal, 'task.write');
  const description = (await deps.redact(wanted.task_description)).text;
  const choice = await choose(deps, wanted, ctx);
  const { store, tasks, changed } = deps;
  const { chosen, place } = choice;
  const create = await tasks.prepareDelegated(ctx, {
    title: titleOf(description),
    description: description.slice(0, limits.task_text_length_max_chars).toWellFormed(),
    priority: wanted.priority,
    required_capabilities: wanted.required_capabilities,
    scope: place.scope,
    ...(place.team_id === null ? {} : { team_id: place.team_id }),
    ...(wanted.project_id === undefined ? {} : { project_id: wanted.project_id }),
    ...(wanted.deadline === undefined ? {} : { due: wanted.deadline }),
    ...(chosen ? { assigned_agent_id: chosen.agent_id, assigned_user_id: chosen.user_id } : {}),
  });
  const { task, messages } = await store.write(async (trx) => {
    const made = await create(trx);
    const { task_id, title } = made;
    const takes = `claim_next task_id=${task_id} takes it.`;
    const message = chosen
      ? { kind: 'task' as const, task_id, body: `Delegated to you by ${ctx.principal.agent_id}: ${title}. ${takes}` }
      : { kind: 'offer' as const, task_id, body: `Waits for an agent that can do it: ${title}. ${takes}` };
    const posted = await postMessages(store, trx, ctx.principal, chosen ? [chosen] : choice.offers, message);
    return { task: made, messages: posted };
  });
  changed('task', task.task_id);
  for (const { to_agent_id } of messages) changed('inbox', to_agent_id);
  const { offers: _, ...answer } = choice;
  return { ...answer, task, messages };
}

async function choose(deps: AgentDeps, wanted: Delegation, ctx: OperationContext): Promise<Choice> {
  const visible = await listVisible(deps.store.db, ctx.principal, toIso(deps.store.clock.now()));
  return wanted.agent_id === undefined
    ? chooseBest(deps, wanted, ctx, visible)
    : chooseNamed(deps, wanted, ctx, visible, wanted.agent_id);
}

async function chooseNamed(
  deps: AgentDeps,
  wanted: Delegation,
  ctx: OperationContext,
  visible: readonly SeenAgent[],
  agent_id: string,
): Promise<Choice> {
  const chosen = visible.find((agent) => agent.agent_id === agent_id);
  if (!chosen) throw agentNotFound(agent_id);
  const considered = await rank(deps, wanted.required_capabilities, ctx, [chosen]);
  const [judged] = considered;
  if (judged && judged.missing.length > 0) throw lacksCapabilities(agent_id, judged.missing, capabilitiesIn(chosen));
  const place = await placeForAgent(deps, placeWanted(wanted), ctx, chosen, workersAt(deps, ctx));
  const away = judged?.offline ? ` It is offline since ${seenAt(deps, chosen)}: the task waits in its inbox.` : '';
  return { place, chosen, reason: `You named it.${away}`, missing: [], considered, offers: [] };
}

async function chooseBest(
  deps: AgentDeps,
  wanted: Delegation,
  ctx: OperationContext,
  visible: readonly SeenAgent[],
): Promise<Choice> {
  const needed = wanted.required_capabilities;
  const place = await deps.placeOf(placeWanted(wanted), ctx);
  const workers = workersAt(deps, ctx);
  const there: SeenAgent[] = [];
  // Who delegates wants somebody else to do it.
  for (const agent of visible)
    if (agent.agent_id !== ctx.agent?.agent_id && (await workers.mayWork(agent.user_id, place))) there.push(agent);
  const considered = await rank(deps, needed, ctx, there);
  const [best] = considered;
  const chosen = best?.score == null ? undefined : there.find(({ agent_id }) => agent_id === best.agent_id);
  if (chosen && best)
    return { place, chosen, reason: whyChosen(best, considered), missing: [], considered, offers: [] };
  const missing = needed.filter((need) => !there.some((agent) => capabilitiesIn(agent).includes(need)));
  const able = new Set(considered.filter(({ missing: lacks }) => lacks.length === 0).map(({ agent_id }) => agent_id));
  const offers = there.filter(({ agent_id }) => able.has(agent_id)).slice(0, limits.agent_offers_max_count);
  return { place, chosen: undefined, reason: whyNobody(needed, missing, offers), missing, considered, offers };
}

function placeWanted({ scope, team_id, project_id }: Delegation): WantedWorkPlace {
  return { scope, team_id, project_id };
}

/** Agents by how well they would do work that needs this. */
export async function rank(
  deps: AgentDeps,
  needed: readonly string[],
  ctx: OperationContext,
  agents: readonly SeenAgent[],
): Promise<Ranked[]> {
  const now_ms = deps.store.clock.now();
  const loads = await deps.tasks.loadOf(agents, ctx);
  const outcomes = await deps.history.outcomesOf(agents, needed, toIso(now_ms - OUTCOMES_MS));
  const contenders = agents.map((agent) => {
    const { held = 0, assigned_open = 0 } = loads.get(agent.agent_id) ?? {};
    const { done = 0, failed = 0 } = outcomes.get(agent.agent_id) ?? {};
    return {
      agent_id: agent.agent_id,
      capabilities: capabilitiesIn(agent),
      silent_ms: now_ms - Date.parse(seenAt(deps, agent)),
      load: held + assigned_open,
      ...{ done, failed },
    };
  });
  return rankContenders(contenders, needed);
}

function seenAt({ presence }: AgentDeps, { agent_id, last_seen_at }: SeenAgent): string {
  return latest(last_seen_at, presence.pendingOf(agent_id));
}

/** Why the first of those considered was chosen. */
export function whyChosen(best: Ranked, considered: readonly Ranked[]): string {
  const able = considered.filter(({ score }) => score !== null).length;
  const of = able === 1 ? 'The only one there that can do it' : `Best of ${able} that can do it`;
  return `${of}: ${recordOf(best)}.`;
}

/** Agents that lack a capability and are named; of more there is only the number. */
const LACKING_NAMED_MAX_COUNT = 3;

/** Those to be named in an explanation, at most `max`, and how many others were considered that lack what is needed. */
export function namedOf(considered: readonly Ranked[], max: number): { named: Ranked[]; lacking: number } {
  const able = considered.filter(({ missing }) => missing.length === 0);
  const lacking = considered.filter(({ missing }) => missing.length > 0);
  const named = [...able, ...lacking.slice(0, LACKING_NAMED_MAX_COUNT)].slice(0, max);
  return { named, lacking: lacking.length - named.filter(({ missing }) => missing.length > 0).length };
}

/** What decided about an agent, in words. */
export function recordOf({ missing, offline, load, success, ended }: Ranked): string {
  if (missing.length > 0) return `lacks ${missing.join(', ')}`;
  // Half and half is what is reckoned with where nothing is known, and no finding.
  const work = `load ${load}, ${ended === 0 ? 'no history' : `success ${Math.round(success * 100)} %`}`;
  return offline ? `offline, ${work}` : work;
}

function whyNobody(needed: readonly string[], missing: readonly string[], offers: readonly Recipient[]): string {
  const waits = 'The task waits and is offered to whoever registers with what it needs.';
  if (offers.length > 0)
    return `Who could do it is offline: ${offers.map(({ agent_id }) => agent_id).join(', ')}. ${waits}`;
  if (missing.length > 0) return `Nobody there has ${missing.join(', ')}. ${waits}`;
  return needed.length > 0 ? `Nobody has all of ${needed.join(', ')}. ${waits}` : `No other agent is there. ${waits}`;
}

function titleOf(description: string): string {
  const [first = ''] = description.trim().split(/\r?\n/);
  const line = first.replace(/[\s\p{C}]+/gu, ' ').trim() || 'Delegated task';
  return line.length <= TITLE_CHARS ? line : `${line.slice(0, TITLE_CHARS - 1).trimEnd()}…`.toWellFormed();
}
