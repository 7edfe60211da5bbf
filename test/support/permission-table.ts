// Who may call what on what: a table written by hand, which knows nothing of the policy.
import type { OperatingMode, Permission } from '../../src/kernel/operation.ts';

/** Columns of the table, in this order. */
export const ROLES = [
  'stranger',
  // Wrote the memory, made the personal and the shared vault; a plain member of the team.
  'author',
  'owner',
  'admin',
  'member',
  'readonly',
  'guest',
  'expired',
  'hub_admin',
  // The author's, limited to every permission but the one that is needed, and to that one alone.
  'token_without',
  'token_with',
] as const;
export type Role = (typeof ROLES)[number];

export const MODES: readonly OperatingMode[] = ['solo', 'team', 'vault'];

export type Kind =
  | 'nothing'
  | 'solo memory'
  | 'team memory'
  | 'shared memory'
  | 'personal vault'
  | 'team vault'
  | 'project vault'
  | 'vault shared with the team'
  | 'own inbox'
  | 'agent'
  | 'solo project'
  | 'team project'
  | 'shared project'
  | 'backup of a project'
  | 'solo task'
  | 'team task'
  | 'shared task'
  | 'team'
  | 'own invitation'
  | 'invitation of another'
  | 'own data'
  | 'data of another'
  | 'solo mode'
  | 'team mode'
  | 'mode of a personal vault';

/** A: allowed, F: forbidden, N: not found. One letter a role, in groups: outside; author; team by rank; expired, hub; tokens. */
const PUBLIC = 'A A AAAAA AA FA';
const OWN = 'N A NNNNN NN FA';
const ADMIN_ONLY = 'F F FFFFF FA FF';

export interface Rule {
  readonly permission: Permission;
  readonly on: Readonly<Partial<Record<Kind, string>>>;
}

/** What a session in team mode writes goes to the team: there it is the role that counts. */
const NEW_IN_TEAM = '- A AAAFF -- FA';
/** Refused as a whole, before its text is read. */
const IMPORTED_IN_TEAM = '- A AAAFF -- FA';

const VAULT_READ = {
  'personal vault': OWN,
  'team vault': 'N A AAAAN NN FA',
  'project vault': 'N A AAAAN NN FA',
  'vault shared with the team': 'N A AAAAN NN FA',
} as const;
const VAULT_WRITE = {
  'personal vault': OWN,
  'team vault': 'N A AAAFN NN FA',
  'project vault': 'N A AAAFN NN FA',
  // Shared for writing: who only reads in the team only reads here.
  'vault shared with the team': 'N A AAAFN NN FA',
} as const;
const VAULT_ADMIN = {
  'personal vault': OWN,
  'team vault': 'N F AAFFN NN FF',
  'project vault': 'N F AAFFN NN FF',
  'vault shared with the team': 'N A FFFFN NN FA',
} as const;
const TEAM_MANAGE = 'N F AAFFF NN FF';

export const RULES = {
  'memories listed': { permission: 'memory.read', on: { nothing: PUBLIC } },
  'a memory read': {
    permission: 'memory.read',
    on: { 'solo memory': OWN, 'team memory': 'N A AAAAA NN FA', 'shared memory': PUBLIC },
  },
  'a memory added': { permission: 'memory.write', on: { nothing: PUBLIC } },
  'memories imported': { permission: 'memory.write', on: { nothing: PUBLIC } },
  'a memory changed': {
    permission: 'memory.write',
    on: { 'solo memory': OWN, 'team memory': 'N A AAFFF NN FA', 'shared memory': 'F A FFFFF FF FA' },
  },
  'a memory deleted': {
    permission: 'memory.delete',
    on: { 'solo memory': OWN, 'team memory': 'N A AAFFF NN FA', 'shared memory': 'F A FFFFF FF FA' },
  },
  'memories deleted': { permission: 'memory.delete', on: { nothing: PUBLIC } },
  // The recycle bin shows nothing to those who may not take it out.
  'deleted memories listed': { permission: 'memory.read', on: { nothing: PUBLIC } },
  'a memory recovered': {
    permission: 'memory.delete',
    on: { 'solo memory': OWN, 'team memory': 'N A AANNN NN FA', 'shared memory': OWN },
  },
  'a mode read': { permission: 'mode.read', on: { nothing: PUBLIC } },
  'a mode chosen': {
    permission: 'mode.write',
    on: { 'solo mode': PUBLIC, 'team mode': 'N A AAAAA NN FA', 'mode of a personal vault': OWN },
  },
  'teams listed': { permission: 'team.read', on: { nothing: PUBLIC } },
  // With its members, whom guests do not see.
  'a team read': { permission: 'team.read', on: { team: 'N A AAAAF NN FA' } },
  'activity read': { permission: 'team.read', on: { team: 'N A AAAAF NN FA' } },
  'a team made': { permission: 'team.write', on: { nothing: PUBLIC } },
  'members managed': { permission: 'team.write', on: { team: TEAM_MANAGE } },
  // Who is a member already has no use for an invitation.
  'an invitation accepted': {
    permission: 'team.write',
    on: { 'own invitation': 'A N NNNNN AA FN', 'invitation of another': 'N N NNNNN NN FN' },
  },
  'vaults listed': { permission: 'vault.read', on: { nothing: PUBLIC } },
  'a vault made': { permission: 'vault.write', on: { nothing: PUBLIC, team: TEAM_MANAGE } },
  'secrets read': { permission: 'vault.read', on: VAULT_READ },
  'the log of a vault read': { permission: 'vault.read', on: VAULT_ADMIN },
  'secrets written': { permission: 'vault.write', on: VAULT_WRITE },
  'a vault managed': { permission: 'vault.share', on: VAULT_ADMIN },
  'agents listed': { permission: 'agent.read', on: { nothing: PUBLIC } },
  'an agent registered': { permission: 'agent.write', on: { nothing: PUBLIC } },
  'an inbox read': { permission: 'agent.write', on: { 'own inbox': PUBLIC } },
  // A task or a memory comes with it: a token needs its scope too.
  'agents given work or news': { permission: 'agent.write', on: { nothing: 'A A AAAAA AA FF' } },
  // The author's: those see it who see the members of a team they share. Guests do not.
  'an agent asked': { permission: 'agent.read', on: { agent: 'N A AAAAN NN FA' } },
  'an agent written to': { permission: 'agent.write', on: { agent: 'N A AAAAN NN FA' } },
  'projects listed': { permission: 'project.read', on: { nothing: PUBLIC } },
  'a project made': { permission: 'project.write', on: { nothing: PUBLIC } },
  // Guests see no work.
  'a project entered': {
    permission: 'project.write',
    on: { 'solo project': OWN, 'team project': 'N A AAAAN NN FA', 'shared project': PUBLIC },
  },
  'a project checked': {
    permission: 'project.read',
    on: { 'solo project': OWN, 'team project': 'N A AAAAN NN FA', 'shared project': PUBLIC },
  },
  // Made by the author: in the team also whoever manages work there, outside it nobody else.
  'a project backed up': {
    permission: 'project.backup',
    on: { 'solo project': OWN, 'team project': 'N A AAFFN NN FA', 'shared project': 'F A FFFFF FF FA' },
  },
  'backups listed': { permission: 'project.backup', on: { nothing: PUBLIC } },
  // An administrator has the file, and no right to the project.
  'a project restored': { permission: 'project.restore', on: { 'backup of a project': 'N A NNNNN NF FA' } },
  'a project changed': {
    permission: 'project.write',
    on: { 'solo project': OWN, 'team project': 'N A AAFFN NN FA', 'shared project': 'F A FFFFF FF FA' },
  },
  'tasks listed': { permission: 'task.read', on: { nothing: PUBLIC } },
  'a task made': { permission: 'task.write', on: { nothing: PUBLIC } },
  'a task read': {
    permission: 'task.read',
    on: { 'solo task': OWN, 'team task': 'N A AAAAN NN FA', 'shared task': PUBLIC },
  },
  'a task changed': {
    permission: 'task.write',
    on: { 'solo task': OWN, 'team task': 'N A AAAFN NN FA', 'shared task': PUBLIC },
  },
  // Whatever is ready, or a certain one.
  'a task claimed': {
    permission: 'task.write',
    on: { nothing: PUBLIC, 'solo task': OWN, 'team task': 'N A AAAFN NN FA', 'shared task': PUBLIC },
  },
  'a task deleted': {
    permission: 'task.delete',
    on: { 'solo task': OWN, 'team task': 'N A AAFFN NN FA', 'shared task': 'F A FFFFF FF FA' },
  },
  'the hub administered': { permission: 'system.admin', on: { nothing: ADMIN_ONLY } },
  'data exported': {
    permission: 'privacy.export',
    on: { 'own data': PUBLIC, 'data of another': ADMIN_ONLY },
  },
  'data erased': {
    permission: 'privacy.erase',
    on: { 'own data': PUBLIC, 'data of another': ADMIN_ONLY },
  },
  'a legal hold': {
    permission: 'system.admin',
    on: { 'own data': ADMIN_ONLY, 'data of another': ADMIN_ONLY },
  },
} as const satisfies Readonly<Record<string, Rule>>;

export const OPERATIONS: Readonly<Record<string, keyof typeof RULES>> = {
  store_memory: 'a memory added',
  import_conversation: 'memories imported',
  retrieve_memory: 'a memory read',
  update_memory: 'a memory changed',
  search_memories: 'memories listed',
  get_recent_memories: 'memories listed',
  get_memory_stats: 'memories listed',
  get_project_memories: 'memories listed',
  get_machine_context: 'memories listed',
  list_memory_sources: 'memories listed',
  detect_duplicate_memories: 'memories listed',
  get_memory_access_stats: 'memories listed',
  get_format_guide: 'memories listed',
  list_deleted_memories: 'deleted memories listed',
  delete_memory: 'a memory deleted',
  merge_duplicate_memories: 'a memory deleted',
  bulk_delete_memories: 'memories deleted',
  cleanup_expired_deletions: 'memories deleted',
  recover_deleted_memory: 'a memory recovered',
  get_mode: 'a mode read',
  list_available_modes: 'a mode read',
  set_mode: 'a mode chosen',
  create_team: 'a team made',
  list_teams: 'teams listed',
  get_team: 'a team read',
  get_team_activity: 'activity read',
  add_team_member: 'members managed',
  remove_team_member: 'members managed',
  accept_team_invitation: 'an invitation accepted',
  create_vault: 'a vault made',
  list_vaults: 'vaults listed',
  list_vault_secrets: 'secrets read',
  retrieve_from_vault: 'secrets read',
  vault_audit_log: 'the log of a vault read',
  store_in_vault: 'secrets written',
  delete_vault_secret: 'secrets written',
  restore_vault_secret: 'secrets written',
  share_vault: 'a vault managed',
  rotate_vault_key: 'a vault managed',
  destroy_vault: 'a vault managed',
  get_agent_roster: 'agents listed',
  register_agent: 'an agent registered',
  check_inbox: 'an inbox read',
  delegate_task: 'agents given work or news',
  broadcast_discovery: 'agents given work or news',
  query_agent_knowledge: 'an agent asked',
  send_message: 'an agent written to',
  list_projects: 'projects listed',
  create_project: 'a project made',
  switch_project_context: 'a project entered',
  project_health_check: 'a project checked',
  update_project: 'a project changed',
  backup_project: 'a project backed up',
  list_project_backups: 'backups listed',
  restore_project: 'a project restored',
  create_kanban_task: 'a task made',
  import_tasks: 'a task made',
  assign_kanban_task: 'a task changed',
  update_kanban_task: 'a task changed',
  claim_next: 'a task claimed',
  get_kanban_task: 'a task read',
  list_kanban_tasks: 'tasks listed',
  get_task_analytics: 'tasks listed',
  export_tasks: 'tasks listed',
  delete_kanban_task: 'a task deleted',
  create_token: 'the hub administered',
  list_tokens: 'the hub administered',
  revoke_token: 'the hub administered',
  rotate_token_key: 'the hub administered',
  list_audit_log: 'the hub administered',
  verify_audit_log: 'the hub administered',
  anchor_audit_log: 'the hub administered',
  gdpr_export_user_data: 'data exported',
  gdpr_delete_user_data: 'data erased',
  place_legal_hold: 'a legal hold',
  release_legal_hold: 'a legal hold',
};

export const IN_TEAM_MODE: Readonly<Partial<Record<keyof typeof RULES, string>>> = {
  'a memory added': NEW_IN_TEAM,
  'memories imported': IMPORTED_IN_TEAM,
  'a project made': NEW_IN_TEAM,
  'a task made': NEW_IN_TEAM,
  'agents given work or news': '- A AAAFF -- FF',
};

const LETTERS = { A: 'allowed', F: 'forbidden', N: 'not_found', I: 'invalid_input', '-': 'no such mode' } as const;

export function expected(row: string, role: Role): string {
  const letter = row.replaceAll(' ', '')[ROLES.indexOf(role)] as keyof typeof LETTERS;
  return LETTERS[letter];
}

/** The author's tokens are the author; everybody else is called by the role. */
