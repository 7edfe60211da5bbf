// What the operations of the audit log work with.
import type { Clock } from '../../../kernel/clock.ts';
import type { Principal } from '../../../kernel/operation.ts';
import type { AnchorKeys } from '../anchors.ts';
import type { Audit } from '../types.ts';

export interface AuditOperationDeps {
  readonly audit: Audit;
  readonly keys: AnchorKeys;
  readonly clock: Clock;
}

/** Reading the log stands in the log, before the answer. */
export async function noteReading(
  { audit }: Pick<AuditOperationDeps, 'audit'>,
  actor: Principal,
  action: string,
): Promise<void> {
  await audit.record(actor, { action, target_type: 'hub', target_id: null, result: 'ok' });
}
