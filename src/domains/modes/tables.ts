// Columns of the table of operating modes: one row for an agent session that chose one.
export interface AgentModeTable {
  session_key: string;
  user_id: string;
  agent_id: string;
  machine_id: string;
  mode: string;
  context_id: string | null;
  set_at: string;
  last_used_at: string;
  /** Mode and context that ended without being left; null once a mode is chosen. */
  fell_back_from: string | null;
}

export interface ModeTables {
  agent_modes: AgentModeTable;
}
