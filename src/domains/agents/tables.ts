// Columns of the tables of agents: who they are, when they were last heard of, what was written to them, and what a
// session is about.
import type { VersionedColumns } from '../../storage/tables.ts';

export interface AgentTable extends VersionedColumns {
  agent_id: string;
  /** Names it in the change record, which must not hold names of people. */
  registration_id: string;
  user_id: string;
  /** What its program calls itself: the principal's agent before it was registered. */
  client: string;
  machine_id: string;
  role: string;
  description: string;
  /** JSON list. */
  capabilities: string;
  /** `given`, `machine_group` or `none`. */
  capabilities_from: string;
  registered_at: string;
  updated_at: string;
}

/** Written behind calls; not synchronised. */
export interface AgentPresenceTable {
  agent_id: string;
  last_seen_at: string;
  /** Operation it called last. */
  last_call: string | null;
}

export interface AgentMessageTable extends VersionedColumns {
  message_id: string;
  /** `note`, `task`, `offer`, `discovery`, `question` or `answer`. */
  kind: string;
  from_user_id: string;
  from_agent_id: string;
  from_machine_id: string;
  to_user_id: string;
  to_agent_id: string;
  body: string;
  severity: string | null;
  reply_to: string | null;
  task_id: string | null;
  memory_id: string | null;
  created_at: string;
  expires_at: string;
  /** How often it was handed out: more than one tells a repeat. */
  deliveries: number;
  first_read_at: string | null;
  acknowledged_at: string | null;
}

/** What a session is about: the agent it registered, the project it switched to. */
export interface SessionContextTable {
  session_key: string;
  user_id: string;
  machine_id: string;
  client: string;
  agent_id: string | null;
  bound_at: string | null;
  project_id: string | null;
  reason: string | null;
  switched_at: string | null;
  last_used_at: string;
}

export interface AgentTables {
  agents: AgentTable;
  agent_presence: AgentPresenceTable;
  agent_messages: AgentMessageTable;
  session_contexts: SessionContextTable;
}
