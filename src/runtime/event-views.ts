// What a follower of events is told of each kind of record: enough to decide whether to look closer, if they may see it.
import { sql } from 'kysely';
import { maySeeMemory, maySeeWork } from '../domains/access/index.ts';
import { toIso } from '../kernel/clock.ts';
import type { Permission, Principal } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';

/** Names of the events, which are names of records. */
export const EVENT_KINDS = ['memory', 'task', 'agent', 'message', 'project'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export type EventData = Readonly<Record<string, unknown>>;

interface Placed {
  readonly scope: string;
  readonly user_id: string;
  readonly team_id: string | null;
}

/** Of the tables only what an event shows and what decides who sees it. */
interface EventTables {
  memories: Placed & {
    memory_id: string;
    category: string;
    tags: string;
    version: number;
    deleted_at: string | null;
    agent_id: string;
  };
  tasks: Placed & {
    task_id: string;
    title: string;
    status: string;
    progress: number;
    project_id: string | null;
    assigned_agent_id: string | null;
    holder_agent_id: string | null;
    is_ready: number;
    version: number;
  };
  task_history: Placed & { task_id: string; action: string; project_id: string | null; entry_id: string };
  agents: { registration_id: string; agent_id: string; user_id: string; machine_id: string; role: string };
  agent_messages: {
    message_id: string;
    kind: string;
    to_user_id: string;
    to_agent_id: string;
    from_agent_id: string;
    severity: string | null;
    task_id: string | null;
    acknowledged_at: string | null;
  };
  projects: Placed & { project_id: string; name: string; status: string; version: number };
  team_members: { team_id: string; user_id: string; expires_at: string | null };
}

export type EventStore = Database<EventTables>;

interface View {
  readonly kind: EventKind;
  readonly permission: Permission;
  /** What the principal is told of those of the records that they may see. */
  read(store: EventStore, ids: readonly string[], principal: Principal): Promise<ReadonlyMap<string, EventData>>;
}

/** By the name of the record in the change record. */
export const VIEWS: Readonly<Record<string, View>> = {
  memory: { kind: 'memory', permission: 'memory.read', read: readMemories },
  task: { kind: 'task', permission: 'task.read', read: readTasks },
  agent: { kind: 'agent', permission: 'agent.read', read: readAgents },
  agent_message: { kind: 'message', permission: 'agent.read', read: readMessages },
  project: { kind: 'project', permission: 'project.read', read: readProjects },
};

async function readMemories({ db }: EventStore, ids: readonly string[], principal: Principal) {
  const rows = await db
    .selectFrom('memories')
    .select(['memory_id', 'category', 'tags', 'version', 'deleted_at', 'agent_id', 'scope', 'user_id', 'team_id'])
    .where('memory_id', 'in', ids)
    .execute();
  const seen = rows.filter((row) => maySeeMemory(principal, row).allowed);
  return new Map(
    seen.map(({ memory_id, category, tags, version, deleted_at, agent_id }) => [
      memory_id,
      { memory_id, category, tags: JSON.parse(tags) as unknown, version, deleted: deleted_at !== null, agent_id },
    ]),
  );
}

async function readTasks({ db }: EventStore, ids: readonly string[], principal: Principal) {
  const rows = await db.selectFrom('tasks').selectAll().where('task_id', 'in', ids).execute();
  const found = new Map<string, EventData>();
  for (const row of rows) {
    if (!maySeeWork(principal, row).allowed) continue;
    const { task_id, title, status, progress, project_id, assigned_agent_id, holder_agent_id, version } = row;
    const ready = row.is_ready === 1;
    const data = { task_id, title, status, progress, project_id, assigned_agent_id, holder_agent_id, ready, version };
    found.set(task_id, { ...data, deleted: false });
  }
  const known = new Set(rows.map(({ task_id }) => task_id));
  const gone = ids.filter((id) => !known.has(id));
  if (gone.length === 0) return found;
  // Who could see it, its history still tells.
  const last = await db
    .selectFrom('task_history')
    .select(['task_id', 'project_id', 'scope', 'user_id', 'team_id'])
    .where('task_id', 'in', gone)
    .where('action', '=', 'deleted')
    .execute();
  for (const row of last)
    if (maySeeWork(principal, row).allowed)
      found.set(row.task_id, { task_id: row.task_id, project_id: row.project_id, deleted: true });
  return found;
}

async function readAgents(store: EventStore, ids: readonly string[], principal: Principal) {
  const teams = (principal.teams ?? []).filter(({ capabilities }) => capabilities.has('members.read'));
  const members = await membersOf(
    store,
    teams.map(({ team_id }) => team_id),
  );
  const rows = await store.db
    .selectFrom('agents')
    .select(['registration_id', 'agent_id', 'user_id', 'machine_id', 'role'])
    .where('registration_id', 'in', ids)
    .execute();
  const seen = rows.filter(({ user_id }) => user_id === principal.user_id || members.has(user_id));
  return new Map(
    seen.map(({ registration_id, agent_id, machine_id, role }) => [registration_id, { agent_id, machine_id, role }]),
  );
}

async function membersOf({ db, clock }: EventStore, team_ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (team_ids.length === 0) return new Set();
  const rows = await db
    .selectFrom('team_members')
    .select('user_id')
    .where('team_id', 'in', team_ids)
    .where(sql<boolean>`(expires_at is null or expires_at > ${toIso(clock.now())})`)
    .execute();
  return new Set(rows.map(({ user_id }) => user_id));
}

/** Only whom it was written to: its words are read with check_inbox. */
async function readMessages({ db }: EventStore, ids: readonly string[], principal: Principal) {
  const rows = await db
    .selectFrom('agent_messages')
    .select(['message_id', 'kind', 'to_agent_id', 'from_agent_id', 'severity', 'task_id', 'acknowledged_at'])
    .where('message_id', 'in', ids)
    .where('to_user_id', '=', principal.user_id)
    .execute();
  return new Map(
    rows.map(({ acknowledged_at, ...row }) => [row.message_id, { ...row, acknowledged: acknowledged_at !== null }]),
  );
}

async function readProjects({ db }: EventStore, ids: readonly string[], principal: Principal) {
  const rows = await db.selectFrom('projects').selectAll().where('project_id', 'in', ids).execute();
  const seen = rows.filter((row) => maySeeWork(principal, row).allowed);
  return new Map(
    seen.map(({ project_id, name, status, version }) => [project_id, { project_id, name, status, version }]),
  );
}
