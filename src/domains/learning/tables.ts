// What happened and is still to become a memory: written in the transaction of what happened, so that none is lost.
export interface LearningEventTable {
  event_id: string;
  kind: string;
  entity: string;
  entity_id: string;
  scope: string;
  user_id: string;
  team_id: string | null;
  agent_id: string;
  machine_id: string;
  project_id: string | null;
  /** JSON: what the memory will say. */
  payload: string;
  created_at: string;
  attempts: number;
  claimed_until_ms: number;
}

export interface LearningTables {
  learning_events: LearningEventTable;
}
