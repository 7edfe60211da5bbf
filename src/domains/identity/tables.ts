// Columns of the agent session tables.
export interface AgentSessionTable {
  session_key: string;
  user_id: string;
  agent_id: string;
  machine_id: string;
  client_name: string | null;
  transport: string;
  started_at: string;
  last_seen_at: string;
  /** When this session was given the format guide; null before its first memory call. */
  guide_sent_at: string | null;
}

export interface AgentSessionCallTable {
  session_key: string;
  operation: string;
  calls: number;
  failures: number;
  first_at: string;
  last_at: string;
}

export interface SessionTables {
  agent_sessions: AgentSessionTable;
  agent_session_calls: AgentSessionCallTable;
}
