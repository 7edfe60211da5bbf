// Columns of the tables of projects.
import type { VersionedColumns } from '../../storage/tables.ts';

export interface ProjectTable extends VersionedColumns {
  project_id: string;
  name: string;
  description: string;
  status: string;
  project_type: string;
  priority: string;
  owner_agent_id: string | null;
  /** JSON list. */
  tags: string;
  /** JSON object. */
  metadata: string;
  /** JSON object: WIP limits of its board. */
  settings: string;
  scope: string;
  user_id: string;
  team_id: string | null;
  /** Made by this agent on this machine. */
  agent_id: string;
  machine_id: string;
  created_at: string;
  updated_at: string;
  version: number;
}

export interface ProjectActivityTable {
  activity_id: string;
  project_id: string;
  at: string;
  action: string;
  user_id: string;
  agent_id: string;
  machine_id: string;
  reason: string | null;
  /** JSON object. */
  details: string;
}

export interface ProjectHealthTable {
  check_id: string;
  project_id: string;
  at: string;
  /** 0 to 100. */
  score: number;
  /** JSON object: length of the period in `days`, and `dimensions` with their scores and evidence. */
  dimensions: string;
}

export interface ProjectBackupTable {
  backup_id: string;
  project_id: string;
  /** `made`, `before_restore` or `found`. */
  kind: string;
  backup_type: string;
  base_backup_id: string | null;
  include_history: number;
  /** `none`, `keyring` or `age`. */
  encryption: string;
  /** Name inside the directory of project backups of `machine_id`. */
  file: string;
  sha256: string;
  bytes: number;
  /** JSON: records by part. */
  counts: string;
  /** JSON: how far the store was when it was made, for increments. */
  position: string;
  user_id: string;
  agent_id: string;
  machine_id: string;
  created_at: string;
}

export interface ProjectTables {
  projects: ProjectTable;
  project_activity: ProjectActivityTable;
  project_health: ProjectHealthTable;
  project_backups: ProjectBackupTable;
}
