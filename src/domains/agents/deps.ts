// What the rules of agents work with, and what they need to know of tasks.
import type { OperationContext } from '../../kernel/operation.ts';
import type { Database, Trx } from '../../storage/database.ts';
import type { WorkPlace } from '../access/index.ts';
import type { Learning } from '../learning/index.ts';
import type { MemoryDeps } from '../memory/index.ts';
import type { AgentTables } from './tables.ts';

export type AgentStore = Database<AgentTables>;
export type AgentTrx = Trx<AgentTables>;
export type AgentReader = Pick<AgentStore['db'], 'selectFrom'>;

/** How busy an agent is, and what came of its work. */
export interface AgentLoad {
  /** Tasks under a claim that holds now. */
  readonly held: number;
  /** Tasks assigned to it that are neither over nor held by anybody. */
  readonly assigned_open: number;
  /** Tasks it finished as `done`, and as `failed`, within the last 30 days. */
  readonly done_30d: number;
  readonly failed_30d: number;
  /** The task it holds since last; null where it holds none, or none that the caller may see. */
  readonly current_task: { readonly task_id: string; readonly title: string } | null;
}

/** A task as an agent is told of it when it comes back or looks for work. */
export interface AgentTask {
  readonly task_id: string;
  readonly title: string;
  readonly status: string;
  readonly priority: string;
  readonly project_id: string | null;
  /** Held by the agent under a claim that holds now; else it is only assigned to it. */
  readonly held: boolean;
  /** Of its claim, where the session that asks made it: what its writes need. Null else. */
  readonly fencing_token: number | null;
  readonly lease_expires_at: string | null;
}

/** A task somebody wants done by another agent. */
export interface DelegatedTask {
  readonly title: string;
  readonly description: string;
  readonly priority: 'critical' | 'high' | 'medium' | 'low';
  readonly required_capabilities: readonly string[];
  readonly tags?: readonly string[] | undefined;
  readonly project_id?: string | undefined;
  readonly parent_id?: string | undefined;
  readonly scope?: 'solo' | 'team' | 'shared' | undefined;
  readonly team_id?: string | undefined;
  /** ISO time. */
  readonly due?: string | undefined;
  /** Undefined: it waits for an agent that can do it. */
  readonly assigned_agent_id?: string | undefined;
  /** Its user: refused with `invalid_input` where they could not see the task. */
  readonly assigned_user_id?: string | undefined;
}

/** A session was there: one per session of a flush. Its key has the user in it. */
export interface Heartbeat {
  readonly session_key: string;
  /** Milliseconds of its signs of life that were not written before, the earliest first. */
  readonly signs_ms: readonly number[];
}

/** An agent with its user: a name alone may be what another user's program calls itself. */
export interface AgentName {
  readonly agent_id: string;
  readonly user_id: string;
}

/** What agents need to know of tasks; the tasks domain implements it, src/runtime/work.ts hands it over. */
export interface TaskPort {
  /** Of each of these agents; all of them are in the answer. The numbers count all tasks, seen by the caller or not. */
  loadOf(agents: readonly AgentName[], ctx: OperationContext): Promise<ReadonlyMap<string, AgentLoad>>;
  /** Tasks the agent holds, then those assigned to it that are not over, most urgent first; only what the caller may see. */
  tasksOf(agent_id: string, ctx: OperationContext, limit: number): Promise<readonly AgentTask[]>;
  /**
   * Looks at a task that is delegated (`delegated_by` the caller's agent) before the transaction; the function that comes
   * back makes it in one, and may be run again in another. No message is sent. Errors as of creating a task; all of them
   * before anything is written.
   */
  prepareDelegated(
    ctx: OperationContext,
    task: DelegatedTask,
  ): Promise<(trx: AgentTrx) => Promise<{ readonly task_id: string; readonly title: string; readonly status: string }>>;
  /** Delegated tasks that are ready, assigned to nobody, changeable for the caller, and need no more than these capabilities. */
  queuedFor(capabilities: readonly string[], ctx: OperationContext, limit: number): Promise<readonly AgentTask[]>;
  /**
   * Renews the leases of claims by `holder_session`, in the transaction of the heartbeats. A lease that was over when
   * the session was there stays over, and none is shortened.
   */
  renew(trx: AgentTrx, heartbeats: readonly Heartbeat[]): Promise<void>;
}

/** Capabilities of machines by group, as configured; a machine is named or meant by a pattern such as `elastic*`. */
export type MachineGroups = Readonly<
  Record<string, { readonly machines: readonly string[]; readonly capabilities: readonly string[] }>
>;

/** A call of a session that has a context, as presence notes it. */
export interface NotedCall {
  readonly session_key: string;
  readonly user_id: string;
  /** Null: the session has a project and no agent. */
  readonly agent_id: string | null;
  /** Null: it called nothing, it is only connected. */
  readonly operation: string | null;
}

/** Who is there: noted in memory with every call, written a few seconds later for all of them together. */
export interface Presence {
  note(call: NotedCall): void;
  /** A call of a session that nothing is written of. */
  heard(session_key: string): void;
  /** Milliseconds of the session's latest sign of life in this process, as far as it remembers. */
  heardAt(session_key: string): number | undefined;
  /**
   * Writes what is noted and renews leases; what is noted before the call is written when it resolves. Rejects as
   * writing does; nothing noted is lost then.
   */
  flush(): Promise<void>;
  /** ISO time of the agent's latest call that is noted here and not written yet. */
  pendingOf(agent_id: string): string | undefined;
  /** Drops what is noted of a user's calls. */
  forget(user_id: string): void;
  /** Writes for the last time. */
  stop(): Promise<void>;
}

/** Work of an agent as others learn from it. */
export interface AgentWork {
  readonly task_id: string;
  readonly title: string;
  readonly description: string;
  readonly status: string;
  readonly resolution: string | null;
  readonly machine_id: string;
  readonly updated_at: string;
}

/** What came of an agent's work on tasks of some kind. */
export interface Outcomes {
  readonly done: number;
  readonly failed: number;
}

/** What agents need to know of work that was done: src/runtime/work.ts fills it from the tasks domain. */
export interface WorkHistory {
  /** Tasks the agent holds, is assigned or brought to an end, newest first; only what the caller may see. */
  workOf(agent: AgentName, ctx: OperationContext, limit: number): Promise<readonly AgentWork[]>;
  /**
   * Of tasks that need at least one of these capabilities (none: of all tasks) and ended after this ISO time, by agent;
   * the numbers count all tasks, seen by the caller or not. An agent without any is absent.
   */
  outcomesOf(
    agents: readonly AgentName[],
    capabilities: readonly string[],
    since: string,
  ): Promise<ReadonlyMap<string, Outcomes>>;
}

/** What was asked for of the place of new work. */
export interface WantedWorkPlace {
  readonly scope?: WorkPlace['scope'] | undefined;
  readonly team_id?: string | undefined;
  /** Absent: the project the session switched to. */
  readonly project_id?: string | undefined;
}

export interface AgentDeps {
  readonly store: AgentStore;
  readonly memory: MemoryDeps;
  readonly history: WorkHistory;
  /** Where a new task of the caller goes. Errors as of `placeOfWork`, and `not_found` for a project out of sight. */
  readonly placeOf: (wanted: WantedWorkPlace, ctx: OperationContext) => Promise<WorkPlace>;
  /** Hears of every change of a record, whichever process made it. Returns the way to stop. */
  readonly onChanged: (listener: (kind: string, id: string) => void) => () => void;
  readonly machine_groups: MachineGroups;
  readonly tasks: TaskPort;
  readonly presence: Presence;
  readonly learning: Learning;
  /** Replaces secrets in text on its way into the store. */
  readonly redact: (text: string) => Promise<{ readonly text: string }>;
  /** Tells subscribers, by the id of the agent or the task; called after the commit. */
  readonly changed: (kind: 'agent' | 'inbox' | 'task', id: string) => void;
}
