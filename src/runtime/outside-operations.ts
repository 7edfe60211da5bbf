// What surfaces do that is no operation (exports, health, news of changes), decided by the same policy.
import { assertAllowed, mayCall, maySeeMemory } from '../domains/access/index.ts';
import type { Audit } from '../domains/audit/index.ts';
import { failure, toErrorBody } from '../kernel/errors.ts';
import type { Permission, Principal } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';
import type { Log, Runtime } from '../surfaces/runtime.ts';
import type { Gate } from './admit.ts';
import { resourceIn } from './resource-uris.ts';

/** Of the memory table only what decides who sees a row. */
interface SeenRows {
  memories: { memory_id: string; scope: string; user_id: string; team_id: string | null };
}

export interface OutsideDeps {
  readonly store: Database;
  readonly gate: Gate;
  readonly audit: Audit;
  readonly log: Log;
}

export type OutsideOperations = Pick<Runtime, 'authorise' | 'mayReadResource'>;

export function createOutsideOperations({ store, gate, audit, log }: OutsideDeps): OutsideOperations {
  const { db } = store.withTables<SeenRows>();
  const absent = () => failure('not_found', 'There is nothing at this path.', 'See /openapi.json.');
  async function onRecord(principal: Principal, permission: Permission, what: string, check: () => void) {
    try {
      check();
    } catch (refusal) {
      if (toErrorBody(refusal).code === 'forbidden') {
        const entry = { action: what, target_type: 'hub', target_id: null, result: 'refused' } as const;
        await audit.record(principal, { ...entry, details: { permission } }).catch((err: unknown) => {
          // Nothing was given away: the refusal stands, and the log says that the audit log lacks it.
          log.error({ err, what }, 'a refusal could not be written to the audit log');
        });
      }
      throw refusal;
    }
  }
  return {
    async authorise(principal, permission, what, further) {
      await onRecord(principal, permission, what, () => assertAllowed(mayCall(principal, permission), absent));
      const known = await gate.withTeams(principal);
      if (further) await onRecord(known, permission, what, () => further(known));
      return known;
    },
    async mayReadResource(uri: string, principal: Principal) {
      const resource = resourceIn(uri);
      if (resource?.kind !== 'memory' || !mayCall(principal, 'memory.read').allowed) return false;
      try {
        const row = await db
          .selectFrom('memories')
          .select(['scope', 'user_id', 'team_id'])
          .where('memory_id', '=', resource.id)
          .executeTakeFirst();
        return row !== undefined && maySeeMemory(await gate.withTeams(principal), row).allowed;
      } catch (err) {
        // Whoever waits for news misses some; that is better than news to somebody they are not for.
        log.warn({ err }, 'who may hear of a change could not be found out');
        return false;
      }
    },
  };
}
