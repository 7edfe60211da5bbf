// What the rules of tasks work with.
import type { Membership, OperationContext } from '../../kernel/operation.ts';
import type { Database, Trx } from '../../storage/database.ts';
import type { WorkFacts, WorkPlace } from '../access/index.ts';
import type { Learning } from '../learning/index.ts';
import type { TaskTables } from './tables.ts';

export type TaskStore = Database<TaskTables>;
export type TaskTrx = Trx<TaskTables>;
export type TaskReader = Pick<TaskStore['db'], 'selectFrom'>;

/** Limits of work in progress; absent: none. */
export interface WipLimits {
  /** Tasks in a column of the board, by status. */
  readonly columns: Readonly<Partial<Record<'todo' | 'in_progress' | 'blocked' | 'review', number>>>;
  /** Tasks one agent may hold at once. */
  readonly per_agent?: number | undefined;
}

/** What tasks need to know of projects. */
export interface ProjectPort {
  /** The place of a project and the limits of its board. Throws `not_found` where the caller may not see it. */
  projectFor(
    project_id: string,
    ctx: OperationContext,
  ): Promise<{ readonly place: WorkPlace; readonly name: string; readonly wip: WipLimits }>;
}

/** An agent that could take a task. */
export interface Candidate {
  readonly agent_id: string;
  readonly user_id: string;
  readonly machine_id: string;
  readonly role: string;
  readonly capabilities: readonly string[];
  readonly status: 'active' | 'idle' | 'offline';
  readonly last_seen_at: string;
}

/** What tasks need to know of agents. */
export interface AgentPort {
  /** Agents the caller may see; those who are there first. */
  candidates(ctx: OperationContext): Promise<readonly Candidate[]>;
  /**
   * The best agent that is there for a task that needs this, among agents of users who may work on it: by capability,
   * load and history, as delegate_task chooses. `agent_id` is undefined where nobody can; `reason` says what decided.
   */
  choose(
    ctx: OperationContext,
    needed: readonly string[],
    mayWork: (user_id: string) => Promise<boolean>,
  ): Promise<{
    readonly agent_id: string | undefined;
    readonly user_id: string | undefined;
    readonly reason: string;
  }>;
  /** What the caller can do: of its registered agent, else by its machine's group. */
  capabilitiesOf(ctx: OperationContext): readonly string[];
  /**
   * Puts a message into an agent's inbox, in the transaction of what it tells of. Unknown agents are passed over, and
   * those whose user may not see the task (`work`) at this moment.
   */
  tell(
    trx: TaskTrx,
    ctx: OperationContext,
    message: {
      readonly to_agent_id: string;
      readonly kind: 'task' | 'offer' | 'note';
      readonly body: string;
      readonly task_id: string;
      readonly work: WorkFacts;
    },
  ): Promise<void>;
}

/** Signs of life of sessions, written behind their calls. */
export interface Heartbeats {
  /** Writes what this process noted, and renews claims by it. */
  flush(): Promise<void>;
  /** Milliseconds of the session's latest sign of life in this process, as far as it remembers. */
  heardAt(session_key: string): number | undefined;
}

export interface TaskSettings {
  /** Of tasks without a project, and of a project where it says nothing itself. */
  readonly wip: WipLimits;
  readonly lease_seconds: number;
}

export interface TaskDeps {
  readonly store: TaskStore;
  readonly agents: AgentPort;
  readonly heartbeats: Heartbeats;
  readonly projects: ProjectPort;
  readonly learning: Learning;
  readonly settings: TaskSettings;
  /** Teams a user is in now: whether an agent of theirs may work on a task. */
  readonly membershipsOf: (user_id: string) => Promise<readonly Membership[]>;
  /** Replaces secrets in text on its way into the store. */
  readonly redact: (text: string) => Promise<{ readonly text: string }>;
  /** Tells subscribers that a task changed; called after the commit. */
  readonly changed: (task_id: string) => void;
}
