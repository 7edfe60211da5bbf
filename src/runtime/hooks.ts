// What happens around every operation: the gate, the count, a log line and an audit row where it was refused, and notices.

import type { Audit } from '../domains/audit/index.ts';
import { GUIDE } from '../domains/format/index.ts';
import type { Sessions } from '../domains/identity/index.ts';
import { toErrorBody } from '../kernel/errors.ts';
import type { ExecuteHooks } from '../kernel/execute.ts';
import { isAgentTransport, type Operation, type OperationContext, SOLO } from '../kernel/operation.ts';
import type { Log } from '../surfaces/runtime.ts';
import type { Gate } from './admit.ts';
import type { Metrics } from './metrics.ts';

export interface HookDeps {
  readonly metrics: Metrics | undefined;
  readonly sessions: Sessions;
  readonly log: Log;
  readonly gate: Gate;
  readonly audit: Audit;
}

export function createHooks({ metrics, sessions, log, gate, audit }: HookDeps): ExecuteHooks {
  return {
    admit: gate.admit,
    async refused(operation, ctx, _input, error) {
      const code = toErrorBody(error).code;
      if (!isOnRecord(operation, code)) return;
      const entry = { action: operation.name, target_type: 'operation', target_id: operation.name } as const;
      try {
        await audit.record(ctx.principal, { ...entry, result: 'refused', details: { code } });
      } catch (cause) {
        // Nothing was given away: the refusal stands, and the log says that the audit log lacks it.
        log.error({ err: cause, operation: operation.name }, 'a refusal could not be written to the audit log');
      }
    },
    observe(record) {
      metrics?.observe(record);
      const { operation, ctx, duration_ms, error_code, error } = record;
      if (ctx.session.transport !== 'internal') sessions.note(ctx, operation, error_code !== undefined);
      const fields = {
        operation,
        request_id: ctx.request_id,
        transport: ctx.session.transport,
        duration_ms: Math.round(duration_ms * 10) / 10,
      };
      if (error_code === 'internal') log.error({ ...fields, err: error }, 'operation failed');
      else if (error_code) log.info({ ...fields, code: error_code }, 'operation refused');
    },
    async annotate(operation, ctx) {
      return { ...(await guideFor(operation, ctx, sessions, log)), operating_mode: modeNotice(ctx) };
    },
  };
}

async function guideFor(
  operation: Operation,
  ctx: OperationContext,
  sessions: Sessions,
  log: Log,
): Promise<Readonly<Record<string, string>>> {
  if (operation.toolset !== 'memory' || !isAgentTransport(ctx.session.transport)) return {};
  try {
    return (await sessions.claimGuide(ctx)) ? { format_guide: GUIDE } : {};
  } catch (error) {
    // The operation is done and may have written: a guide that cannot be noted must not make it look failed.
    log.warn({ err: error }, 'the format guide was not given to a session; its next call tries again');
    return {};
  }
}

/** `solo`, or the mode with what it is about: `team team_01...`. */
function modeNotice({ mode = SOLO }: OperationContext): string {
  return mode.context_id === null ? mode.mode : `${mode.mode} ${mode.context_id}`;
}

/** Every refusal for want of rights, and every failure to reach something that is guarded. */
function isOnRecord(operation: Operation, code: string): boolean {
  return code === 'forbidden' || code === 'unauthenticated' || operation.audited === true;
}
