// Who may put a record back: the rules of work and memories, asked of each record and of the row that is here.
import {
  isAdmin,
  mayAddMemory,
  mayAddWork,
  mayChangeMemory,
  mayChangeWork,
  mayInTeam,
  mayManageWork,
} from '../../../access/index.ts';
import type { JsonRecord } from '../canonical.ts';
import type { Placement, RestoreContext, Row } from './part.ts';

interface Facts {
  readonly scope: string;
  readonly user_id: string;
  readonly team_id: string | null;
}

const factsOf = (from: JsonRecord | Row): Facts => from as unknown as Facts;

const TAKEN = 'something has its id here that you may not change';

/** Private records stay private to whoever restores them; the others go where they are placed. All become the caller's. */
export function placedRecord(record: JsonRecord, { placement, principal }: RestoreContext): JsonRecord {
  if (!placement) return record;
  const { scope, team_id }: Placement = record.scope === 'solo' ? { scope: 'solo', team_id: null } : placement;
  return { ...record, scope, team_id, user_id: principal.user_id };
}

/** Work: tasks and projects. */
export function refuseWork(record: JsonRecord, row: Row | undefined, ctx: RestoreContext): string | undefined {
  const { principal } = ctx;
  if (!row) return refuseNew(record, ctx, mayAddWork(principal, factsOf(record)).allowed, 'work.manage');
  if (mayManageWork(principal, factsOf(row)).allowed) return moved(record, row, ctx);
  if (ctx.manages_project && mayChangeWork(principal, factsOf(row)).allowed) return moved(record, row, ctx);
  return TAKEN;
}

export function refuseMemory(record: JsonRecord, row: Row | undefined, ctx: RestoreContext): string | undefined {
  const { principal } = ctx;
  if (!row) return refuseNew(record, ctx, mayAddMemory(principal, factsOf(record)).allowed, 'memory.moderate');
  return mayChangeMemory(principal, factsOf(row)).allowed ? undefined : TAKEN;
}

function refuseNew(
  record: JsonRecord,
  { principal }: RestoreContext,
  may_add: boolean,
  capability: 'work.manage' | 'memory.moderate',
): string | undefined {
  const { scope, user_id, team_id } = factsOf(record);
  if (!may_add)
    return `team ${team_id} is not here, or you may not write in it; scope or team_id place the project elsewhere`;
  if (user_id === principal.user_id) return undefined;
  if (scope === 'solo') return 'it is private to another user; scope or team_id make it yours';
  if (isAdmin(principal) || (scope === 'team' && mayInTeam(principal, team_id, capability).allowed)) return undefined;
  return 'it is of another user; scope or team_id make it yours';
}

/** Between projects, and between the private, teams and everybody, nothing is moved by a restore. */
function moved(record: JsonRecord, row: Row, { placement }: RestoreContext): string | undefined {
  if (record.project_id !== row.project_id) return 'it belongs to another project here';
  if (placement) return undefined;
  return record.scope === row.scope && record.team_id === row.team_id ? undefined : 'it is in another place here';
}

export function mayRemoveMemory(row: Row, { principal }: RestoreContext): boolean {
  return mayChangeMemory(principal, factsOf(row)).allowed;
}
