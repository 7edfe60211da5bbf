// Claims whose lease is over: void from that moment, whether or not the sweep that writes it down has come by.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { TaskRow } from './record.ts';

type Held = Pick<TaskRow, 'holder_agent_id' | 'lease_expires_at'>;

/** `now`: ISO time. */
export function isLapsed({ holder_agent_id, lease_expires_at }: Held, now: string): boolean {
  return holder_agent_id !== null && lease_expires_at !== null && lease_expires_at <= now;
}

/** The task as it is now: one whose claim has lapsed waits for another agent, as the sweep will leave it. */
export function asNow(row: TaskRow, now: string): TaskRow {
  if (!isLapsed(row, now)) return row;
  const open = row.open_dependencies + row.open_children + row.blocked_ancestors;
  return {
    ...row,
    status: 'todo',
    is_ready: open === 0 ? 1 : 0,
    // An agent that died keeps nothing from the others.
    assigned_agent_id: row.assigned_agent_id === row.holder_agent_id ? null : row.assigned_agent_id,
    holder_agent_id: null,
    holder_session: null,
    lease_expires_at: null,
    lease_seconds: null,
  };
}

/** Rows of `tasks` under a claim that holds now. */
export function heldNow(now: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`(tasks.holder_agent_id is not null and (tasks.lease_expires_at is null or tasks.lease_expires_at > ${now}))`;
}

/** Whether rows of `tasks` can be claimed now: 1 or 0. */
export function readyNow(now: string): RawBuilder<number> {
  return sql<number>`case when tasks.is_ready = 1 or (tasks.lease_expires_at is not null and tasks.lease_expires_at <= ${now} and tasks.open_dependencies = 0 and tasks.open_children = 0 and tasks.blocked_ancestors = 0) then 1 else 0 end`;
}
