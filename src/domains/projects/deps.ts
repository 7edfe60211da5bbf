// What the rules of projects work with, and what they need to know of other domains.
import type { OperationContext } from '../../kernel/operation.ts';
import type { Database, Trx } from '../../storage/database.ts';
import type { WorkFacts } from '../access/index.ts';
import type { AgentTables } from '../agents/index.ts';
import type { Audit, AuditTables } from '../audit/index.ts';
import type { Learning, LearningTables } from '../learning/index.ts';
import type { Redact } from '../memory/index.ts';
import type { ProjectTables } from './tables.ts';

type Tables = ProjectTables & Pick<AgentTables, 'session_contexts'> & LearningTables & AuditTables;
export type ProjectStore = Database<Tables>;
export type ProjectTrx = Trx<Tables>;
export type ProjectReader = Pick<ProjectStore['db'], 'selectFrom'>;

/** How many there are, and the ids of some of them as evidence: at most `limits.health_evidence_max_ids`. */
export interface Counted {
  readonly count: number;
  readonly ids: readonly string[];
}

/** A task as a brief shows it. */
export interface OpenTask {
  readonly task_id: string;
  readonly title: string;
  readonly status: string;
  readonly priority: string;
  /** It can be claimed now. */
  readonly ready: boolean;
  readonly holder_agent_id: string | null;
  readonly assigned_agent_id: string | null;
  readonly due: string | null;
  /** Tasks it waits for. */
  readonly open_dependencies: number;
}

/** What happened to the tasks of a project in a period, from rows of their history, and where they stand now. */
export interface TaskFlow {
  /** Tasks created since the period began. */
  readonly created: Counted;
  /** Tasks that were done since the period began and have not been opened again: given up is not finished. */
  readonly finished: Counted;
  /** Of the finished: those with a resolution in words. */
  readonly resolved: Counted;
  /** Tasks that are not over now. */
  readonly open: Counted;
  /** Of the open: in the column `blocked`, or below something that is. */
  readonly blocked: Counted;
  /** Of the open: past their due time. */
  readonly overdue: Counted;
  /** Tasks in progress, blocked or in review, with since when they have been begun. */
  readonly begun: readonly { readonly task_id: string; readonly since: string }[];
  /** 85th percentile of the time from begun to finished of tasks that finished; null below `health_cycles_min_count`. */
  readonly cycle_p85_ms: number | null;
  /** Newest row of history of any task of the project, whenever that was; null: there is none. */
  readonly last_change_at: string | null;
}

/**
 * What projects need to know of tasks: only what the caller may see, held and lapsed claims told apart as every read does.
 * The tasks domain fills it (src/domains/tasks/project-facts.ts or the like), src/runtime/work.ts hands it over.
 */
export interface TaskFacts {
  /** Tasks that are not over by project; a project without any may be absent. */
  openCounts(project_ids: readonly string[], ctx: OperationContext): Promise<ReadonlyMap<string, number>>;
  /** Tasks that are not over, `limit` at most: the caller's own first, then ready ones by priority and age, then the rest. */
  openTasks(project_id: string, ctx: OperationContext, limit: number): Promise<readonly OpenTask[]>;
  /** `since`: ISO time at which the period begins. Of tasks in the project's own place, so that all see the same. */
  flow(project: WorkFacts & { readonly project_id: string }, ctx: OperationContext, since: string): Promise<TaskFlow>;
}

/** A memory as briefs and checks use one. */
export interface ProjectMemory {
  readonly memory_id: string;
  readonly category: string;
  readonly content: string;
  readonly agent_id: string;
  readonly machine_id: string;
  readonly created_at: string;
}

/** What is asked of a project's memories: those whose `project` is its id or its name. */
export interface ProjectMemoryQuery {
  /** One of these categories or tags; absent: any. */
  readonly categories?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** ISO time. */
  readonly since?: string | undefined;
  /** Only of this place. */
  readonly place?: WorkFacts | undefined;
  readonly limit: number;
}

/** What projects need to know of memories: only what the caller may see. */
export interface ProjectMemories {
  /** Newest first. */
  list(
    project: { readonly project_id: string; readonly name: string },
    ctx: OperationContext,
    query: ProjectMemoryQuery,
  ): Promise<readonly ProjectMemory[]>;
  /** How many there are in all. */
  count(
    project: { readonly project_id: string; readonly name: string },
    ctx: OperationContext,
    query: Omit<ProjectMemoryQuery, 'limit'>,
  ): Promise<number>;
}

/** Incidents of a project, where something keeps them; without it memories of the category `incidents` speak. */
export interface IncidentPort {
  /** Opened in the period, open now, and how many there ever were. */
  of(
    project_id: string,
    ctx: OperationContext,
    since: string,
  ): Promise<{ readonly ever: number; readonly opened: Counted; readonly open: Counted }>;
}

/** Configuration drift of what belongs to a project, where something watches it. */
export interface DriftPort {
  /** Null: nothing of this project is watched. */
  of(
    project_id: string,
    ctx: OperationContext,
  ): Promise<{ readonly watched: Counted; readonly drifted: Counted } | null>;
}

export interface ProjectDeps {
  readonly store: ProjectStore;
  readonly audit: Pick<Audit, 'append'>;
  readonly learning: Learning;
  readonly tasks: TaskFacts;
  readonly memories: ProjectMemories;
  readonly incidents?: IncidentPort | undefined;
  readonly drift?: DriftPort | undefined;
  /** Replaces secrets in text on its way into the store. */
  readonly redact: Redact;
  /** Tells subscribers that a project changed; called after the commit. */
  readonly changed: (project_id: string) => void;
}
