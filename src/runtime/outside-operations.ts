// What surfaces do that is no operation, such as exports and health, decided by the same policy.
import { assertAllowed, mayCall } from '../domains/access/index.ts';
import type { Audit } from '../domains/audit/index.ts';
import { failure, toErrorBody } from '../kernel/errors.ts';
import type { Permission, Principal } from '../kernel/operation.ts';
import type { Log, Runtime } from '../surfaces/runtime.ts';
import type { Gate } from './admit.ts';

export interface OutsideDeps {
  readonly gate: Gate;
  readonly audit: Audit;
  readonly log: Log;
}

export type OutsideOperations = Pick<Runtime, 'authorise'>;

export function createOutsideOperations({ gate, audit, log }: OutsideDeps): OutsideOperations {
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
  };
}
