// What happens around every operation: it is counted, logged where it failed, and a new session is given the format guide.
import { GUIDE } from '../domains/format/index.ts';
import type { Sessions } from '../domains/identity/index.ts';
import type { ExecuteHooks } from '../kernel/execute.ts';
import { isAgentTransport } from '../kernel/operation.ts';
import type { Log } from '../surfaces/runtime.ts';
import type { Metrics } from './metrics.ts';

export interface HookDeps {
  readonly metrics: Metrics | undefined;
  readonly sessions: Sessions;
  readonly log: Log;
}

export function createHooks({ metrics, sessions, log }: HookDeps): ExecuteHooks {
  return {
    // One permission set until identities other than this machine's owner exist; the door is here for all surfaces.
    authorise: () => {},
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
      if (operation.toolset !== 'memory' || !isAgentTransport(ctx.session.transport)) return {};
      try {
        return (await sessions.claimGuide(ctx)) ? { format_guide: GUIDE } : {};
      } catch (error) {
        // The operation is done and may have written: a guide that cannot be noted must not make it look failed.
        log.warn({ err: error }, 'the format guide was not given to a session; its next call tries again');
        return {};
      }
    },
  };
}
