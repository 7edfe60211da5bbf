// What a plan is made of, and what it says.

export interface PlannedTask {
  readonly task_id: string;
  readonly parent_id: string | null;
  readonly status: string;
  /** 0 critical to 3 low. */
  readonly priority: number;
  readonly estimate_minutes: number | null;
  readonly created_at: string;
}

export interface PlannedEdge {
  readonly task_id: string;
  readonly depends_on_id: string;
}

export interface PlanRow {
  readonly task_id: string;
  /** Story it is a part of, the topmost one; a story's own id on its own row; null: it has none. */
  readonly story_id: string | null;
  /** When it comes: inside its story; of a story or a task without one, among these. From 1. */
  readonly stage: number;
  /** The stage, with a letter where several can be done in parallel: `1`, `2a`, `2b`, `3`. */
  readonly label: string;
  /** The label of its story; null at the top level. */
  readonly story_label: string | null;
  /** On the longest chain of work that is still to be done, if that is more than one task; of a story: some of its parts are. */
  readonly critical: boolean;
  /** 0: a story, or a task without one; 1: a part of it; 2: a part of that. */
  readonly depth: number;
}

/** What comes first where no dependency says so: the more urgent, then the older. */
export function compare(a: PlannedTask | undefined, b: PlannedTask | undefined): number {
  if (!a || !b) return 0;
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (a.created_at !== b.created_at) return a.created_at < b.created_at ? -1 : 1;
  return a.task_id < b.task_id ? -1 : a.task_id > b.task_id ? 1 : 0;
}
