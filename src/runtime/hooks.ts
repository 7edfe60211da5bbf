// What happens around every operation: the gate, the count, a log line and an audit row where it was refused, and notices.

import type { Presence } from '../domains/agents/index.ts';
import type { Audit, AuditEntry } from '../domains/audit/index.ts';
import { GUIDE } from '../domains/format/index.ts';
import type { Sessions } from '../domains/identity/index.ts';
import { modeName } from '../domains/modes/index.ts';
import { toErrorBody } from '../kernel/errors.ts';
import type { ExecuteHooks } from '../kernel/execute.ts';
import { limits } from '../kernel/limits.ts';
import { isAgentTransport, type Operation, type OperationContext, SOLO } from '../kernel/operation.ts';
import type { Log } from '../surfaces/runtime.ts';
import type { Gate } from './admit.ts';
import type { Metrics } from './metrics.ts';

export interface HookDeps {
  readonly metrics: Metrics | undefined;
  readonly sessions: Sessions;
  readonly presence: Pick<Presence, 'note' | 'heard'>;
  readonly log: Log;
  readonly gate: Gate;
  readonly audit: Audit;
}

export function createHooks({ metrics, sessions, presence, log, gate, audit }: HookDeps): ExecuteHooks {
  return {
    async admit(operation, ctx) {
      const admitted = await gate.admit(operation, ctx);
      const { session, principal, agent, project } = admitted;
      // Any call of a session with an agent says that the agent is there; the server's own calls for it say nothing.
      if (session.transport !== 'internal' && (agent || project))
        presence.note({
          session_key: session.key,
          user_id: principal.user_id,
          agent_id: agent?.agent_id ?? null,
          operation: operation.name,
        });
      else if (session.transport !== 'internal') presence.heard(session.key);
      return admitted;
    },
    async refused(operation, ctx, input, error) {
      const code = toErrorBody(error).code;
      if (!isOnRecord(operation, code)) return;
      try {
        await audit.record(ctx.principal, {
          action: operation.name,
          ...targetOf(operation, input),
          result: FAILURES.has(code) ? 'failed' : 'refused',
          details: { code },
        });
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
      const guide = await guideFor(operation, ctx, sessions, log);
      // What changes the mode says so itself; the mode it was called in would contradict it.
      return operation.permission === 'mode.write' ? guide : { ...guide, operating_mode: modeNotice(ctx) };
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

/** The mode with what it is about, and where it was not chosen how it came about: `team team_01... (taken over ...)`. */
function modeNotice({ mode = SOLO }: OperationContext): string {
  return mode.note === undefined ? modeName(mode) : `${modeName(mode)} (${mode.note})`;
}

/** These say that it did not work, not that it was not allowed. */
const FAILURES: ReadonlySet<string> = new Set([
  'internal',
  'unavailable',
  'cancelled',
  'storage_corrupt',
  'storage_full',
  'storage_read_only',
]);

/** As vaults are named by this program: an id of the caller's invention, which may be anything, is not kept. */
const VAULT_ID = /^vault_[0-9a-z]{26}$/;

/** What a refused call was about, so that whoever administers it finds the refusal there, and what it was said to be for. */
function targetOf(operation: Operation, input: unknown): Pick<AuditEntry, 'target_type' | 'target_id' | 'reason'> {
  const { vault_id, audit_reason, reason = audit_reason } = (input ?? {}) as Readonly<Record<string, unknown>>;
  if (operation.toolset !== 'vaults' || typeof vault_id !== 'string' || !VAULT_ID.test(vault_id))
    return { target_type: 'operation', target_id: operation.name };
  const said = typeof reason === 'string' && reason.length <= limits.reason_length_max_chars ? reason.trim() : '';
  const why = said !== '' && said.isWellFormed() && !said.includes('\u0000') ? { reason: said } : {};
  return { target_type: 'vault', target_id: vault_id, ...why };
}

/** Every refusal for want of rights, and every failure to reach something that is guarded. */
function isOnRecord(operation: Operation, code: string): boolean {
  return code === 'forbidden' || code === 'unauthenticated' || operation.audited === true;
}
