// The one place that decides who may put a record back. A backup is a file, and a file says what whoever wrote it wants: each
// record is judged by what the caller could do through ordinary operations, before anything here is compared with it. What
// is not known to be allowed is refused. Nothing moves between users, teams, scopes or projects, and a refusal says no more
// of a row that the caller may not see than that an id is taken.
import {
  isAdmin,
  mayAddMemory,
  mayAddVault,
  mayAddWork,
  mayChangeMemory,
  mayChangeWork,
  mayInTeam,
  mayManageWork,
  mayUseVault,
  type VaultFacts,
} from '../../../access/index.ts';
import type { JsonRecord } from '../canonical.ts';
import type { Admitted, PlaceHere, Placement, RestoreContext, Row } from './part.ts';

export const TAKEN = 'something has its id here that you may not change';
/** For what would tell of a row that the caller may not see. */
export const IN_THE_WAY = 'something here is in its way';

const ELSEWHERE = 'it is in another place here';
const OTHER_PROJECT = 'it belongs to another project here';

const placeOf = (from: JsonRecord | Row): PlaceHere => from as unknown as PlaceHere;

/** Private records stay private to whoever restores them; the others go where they are placed. All become the caller's. */
export function placedRecord(record: JsonRecord, { placement, principal }: RestoreContext): JsonRecord {
  if (!placement) return record;
  const { scope, team_id }: Placement = record.scope === 'solo' ? { scope: 'solo', team_id: null } : placement;
  return { ...record, scope, team_id, user_id: principal.user_id };
}

/** Work: tasks and projects. Whose it is here it stays: `originOf`. */
export function refuseWork(record: JsonRecord, row: Row | undefined, ctx: RestoreContext): string | undefined {
  const { principal, manages_project } = ctx;
  if (!row) {
    const may_add = mayAddWork(principal, placeOf(record)).allowed;
    return refuseNew(record, ctx, may_add, ['work.manage']);
  }
  const here = placeOf(row);
  const may =
    mayManageWork(principal, here).allowed ||
    (manages_project && row.project_id === ctx.project.project_id && mayChangeWork(principal, here).allowed);
  if (!may) return TAKEN;
  if (record.project_id !== row.project_id) return OTHER_PROJECT;
  return record.scope === row.scope && record.team_id === row.team_id ? undefined : ELSEWHERE;
}

/** Of a row that is here these stay as they are: who made it, and when. */
export function originOf(row: Row): Row {
  const { user_id, agent_id, machine_id, created_at } = row;
  return { user_id, agent_id, machine_id, created_at };
}

export function refuseMemory(record: JsonRecord, row: Row | undefined, ctx: RestoreContext): string | undefined {
  const { principal } = ctx;
  const [project] = ctx.admitted.get('project')?.values() ?? [];
  if (!project) return 'its project stays out';
  if (row && !mayChangeMemory(principal, placeOf(row)).allowed) return TAKEN;
  if (!belongsTo(record, project)) return "it carries only the project's name and is in another place";
  if (!row) {
    const may_add = mayAddMemory(principal, placeOf(record)).allowed;
    return refuseNew(record, ctx, may_add, ['work.manage', 'memory.moderate']);
  }
  if (!belongsTo(row, project)) return OTHER_PROJECT;
  return samePlace(placeOf(record), placeOf(row)) ? undefined : ELSEWHERE;
}

/** By the id; by the name alone only in the project's own place, for others may use the same name. */
function belongsTo(memory: JsonRecord | Row, project: Admitted): boolean {
  if (memory.project_id !== null) return memory.project_id === project.project_id;
  const { scope, team_id, user_id } = placeOf(memory);
  if (!project.names.includes(String(memory.project)) || scope !== project.scope) return false;
  return scope === 'shared' || (scope === 'team' ? team_id === project.team_id : user_id === project.user_id);
}

export function samePlace(a: PlaceHere, b: PlaceHere): boolean {
  return a.scope === b.scope && a.team_id === b.team_id && a.user_id === b.user_id;
}

function refuseNew(
  record: JsonRecord,
  { principal, own_backup }: RestoreContext,
  may_add: boolean,
  for_others: readonly ('work.manage' | 'memory.moderate')[],
): string | undefined {
  const { scope, user_id, team_id } = placeOf(record);
  if ((scope === 'team') !== (team_id !== null)) return 'it says of its team what cannot be';
  if (!may_add)
    return `team ${team_id} is not here, or you may not write in it; scope or team_id place the project elsewhere`;
  if (user_id === principal.user_id || (isAdmin(principal) && own_backup)) return undefined;
  if (scope === 'solo') return 'it is private to another user; scope or team_id make it yours';
  const may = scope === 'team' && for_others.every((capability) => mayInTeam(principal, team_id, capability).allowed);
  return may ? undefined : 'it is of another user; scope or team_id make it yours';
}

/** `facts`: of the vault that is here. One that was destroyed is judged as if it were not: its owner may hear of that. */
export function refuseVault(
  record: JsonRecord,
  row: Row | undefined,
  facts: VaultFacts | undefined,
  { principal, own_backup, project }: RestoreContext,
): string | undefined {
  const team_id = record.team_id as string | null;
  if (row) {
    if (!facts || !mayUseVault(principal, { ...facts, destroyed_at: null }, 'admin', project.now).allowed) return TAKEN;
    if (row.project_id !== record.project_id) return OTHER_PROJECT;
    return row.team_id === team_id && row.user_id === record.user_id ? undefined : ELSEWHERE;
  }
  if (!mayAddVault(principal, team_id).allowed) return `team ${team_id} is not here, or you may not make vaults in it`;
  if (record.user_id === principal.user_id || team_id !== null || (isAdmin(principal) && own_backup)) return undefined;
  return 'it is of another user; scope or team_id make it yours';
}

/**
 * A new line of a log about what others did is the word of whoever brings the file: it is noted under the caller's name,
 * and what the file says is kept beside it. Administrators of the hub are believed.
 */
export function vouchedLine(record: JsonRecord, { principal }: RestoreContext): JsonRecord {
  const { user_id, agent_id, machine_id } = principal;
  if (record.user_id === user_id || isAdmin(principal)) return record;
  const said = { user_id: record.user_id ?? null, agent_id: record.agent_id ?? null };
  const details = { ...(record.details as JsonRecord), restored_as: said };
  return { ...record, user_id, agent_id, machine_id, details };
}

/** The same where there is a column for the user alone. */
export function vouchedBy(columns: readonly string[]) {
  return (record: JsonRecord, _parent: Admitted | undefined, { principal }: RestoreContext): JsonRecord => {
    if (isAdmin(principal)) return record;
    return { ...record, ...Object.fromEntries(columns.map((column) => [column, principal.user_id])) };
  };
}

export function mayRemoveMemory(row: Row, { principal }: RestoreContext): boolean {
  return mayChangeMemory(principal, placeOf(row)).allowed;
}
