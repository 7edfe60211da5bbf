// Which permissions the parts of a backup need besides that of backups: a credential for backups alone neither reads nor
// writes through them what it may not by any other way.
import { failure } from '../../../../kernel/errors.ts';
import type { Permission, Principal } from '../../../../kernel/operation.ts';
import { mayCall } from '../../../access/index.ts';
import type { RestoreMode } from './part.ts';

interface Needed {
  readonly read: Permission;
  readonly write: Permission;
  readonly remove: Permission;
}

const MEMORIES: Needed = { read: 'memory.read', write: 'memory.write', remove: 'memory.delete' };
const TASKS: Needed = { read: 'task.read', write: 'task.write', remove: 'task.delete' };
const VAULTS: Needed = { read: 'vault.read', write: 'vault.write', remove: 'vault.write' };

const NEEDED: Readonly<Record<string, Needed>> = {
  memories: MEMORIES,
  memory_versions: MEMORIES,
  tasks: TASKS,
  task_dependencies: TASKS,
  task_history: TASKS,
  vaults: VAULTS,
  vault_keys: VAULTS,
  vault_secrets: VAULTS,
  vault_secret_versions: VAULTS,
};

export function mayReadPart(principal: Principal, part: string): boolean {
  const needed = NEEDED[part];
  return needed === undefined || mayCall(principal, needed.read).allowed;
}

interface Contents {
  readonly index: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
}

/** Errors: `forbidden`. What an overwrite takes away it first keeps, so it has to be read as well. */
export function assertMayWriteParts(principal: Principal, { index }: Contents, mode: RestoreMode): void {
  for (const [part, records] of index) {
    const needed = NEEDED[part];
    if (!needed || records.size === 0) continue;
    assertScope(principal, needed.write, part);
    if (mode === 'overwrite') assertScope(principal, needed.read, part);
  }
}

/** Errors: `forbidden`. */
export function assertMayRemove(principal: Principal, part: string): void {
  const needed = NEEDED[part];
  if (!needed) return;
  assertScope(principal, needed.read, part);
  // Edges go with a change of the task.
  assertScope(principal, part === 'task_dependencies' ? needed.write : needed.remove, part);
}

function assertScope(principal: Principal, permission: Permission, part: string): void {
  const decision = mayCall(principal, permission);
  if (decision.allowed) return;
  throw failure(
    'forbidden',
    `The backup has a part ${part}. ${decision.reason}`,
    `Use a credential with ${permission}.`,
    { details: { part, permission } },
  );
}
