// Columns of the tables of tasks.
import type { VersionedColumns } from '../../storage/tables.ts';

export interface TaskTable extends VersionedColumns {
  task_id: string;
  title: string;
  description: string;
  status: string;
  /** 0 critical to 3 low: what comes first is smallest. */
  priority: number;
  /** 0 to 100. */
  progress: number;
  project_id: string | null;
  parent_id: string | null;
  /** JSON list. */
  tags: string;
  /** JSON list, sorted: equal sets are equal texts. */
  required_capabilities: string;
  due_at: string | null;
  estimate_minutes: number | null;
  assigned_agent_id: string | null;
  /** Agent that delegated it. */
  delegated_by: string | null;
  /** What came of it, in words, once it is over. */
  resolution: string | null;
  /** `<source>:<id>` of what it was imported from. */
  external_id: string | null;
  scope: string;
  user_id: string;
  team_id: string | null;
  /** Made by this agent on this machine. */
  agent_id: string;
  machine_id: string;
  created_at: string;
  updated_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** Dependencies that are not satisfied. */
  open_dependencies: number;
  /** Children that are not over: a parent is done after them. */
  open_children: number;
  /** Ancestors that wait for a dependency: so does all below them. */
  blocked_ancestors: number;
  /** 1 where it can be claimed: in `todo` and nothing open before it. Follows from the columns above. */
  is_ready: number;
  holder_agent_id: string | null;
  holder_session: string | null;
  /** Grows with every claim: a write with a smaller one comes too late. */
  fencing_token: number;
  /** The claim is over at this ISO time, unless it is renewed. */
  lease_expires_at: string | null;
  /** How long a sign of life keeps it. */
  lease_seconds: number | null;
  version: number;
  /** JSON: field -> version of the task in which it was last changed. */
  field_versions: string;
}

export interface TaskDependencyTable {
  task_id: string;
  /** Has to be over first. */
  depends_on_id: string;
  created_at: string;
}

/** What happened to a task: analytics are made of these rows alone. */
export interface TaskHistoryTable {
  entry_id: string;
  task_id: string;
  project_id: string | null;
  at: string;
  action: string;
  from_status: string | null;
  to_status: string | null;
  scope: string;
  user_id: string;
  team_id: string | null;
  agent_id: string;
  machine_id: string;
  /** Agent it happened to: who was assigned, whose claim ended. */
  subject_agent_id: string | null;
  comment: string | null;
  /** JSON object. */
  details: string;
  /** The task's version after it. */
  version: number;
}

export interface TaskTables {
  tasks: TaskTable;
  task_dependencies: TaskDependencyTable;
  task_history: TaskHistoryTable;
}
