// The gate before every operation: who is this, in which teams, in which mode, and may they call this at all?
import { assertAllowed, mayCall, mayWorkIn } from '../domains/access/index.ts';
import type { Audit } from '../domains/audit/index.ts';
import type { Modes } from '../domains/modes/index.ts';
import { membershipsOf, type TeamTables } from '../domains/teams/index.ts';
import { toIso } from '../kernel/clock.ts';
import { failure } from '../kernel/errors.ts';
import { type ModeContext, type Operation, type OperationContext, type Principal, SOLO } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';

export interface GateDeps {
  readonly store: Database<TeamTables>;
  readonly modes: Modes;
  readonly audit: Audit;
}

export interface Gate {
  /** Throws `forbidden` where the credential does not allow the operation. */
  admit(operation: Operation, ctx: OperationContext): Promise<OperationContext>;
  /** The same principal with the teams it is in now: for work that runs outside operations. */
  withTeams(principal: Principal): Promise<Principal>;
}

export function createGate({ store, modes, audit }: GateDeps): Gate {
  async function withTeams(principal: Principal): Promise<Principal> {
    return { ...principal, teams: await membershipsOf(store.db, principal.user_id, toIso(store.clock.now())) };
  }
  return {
    withTeams,
    async admit(operation, ctx) {
      assertAllowed(mayCall(ctx.principal, operation.permission), () =>
        failure('not_found', `There is no tool called ${operation.name}.`, 'List the tools to see the names.'),
      );
      const principal = await withTeams(ctx.principal);
      const mode = stillHolds(principal, await modes.of(ctx), toIso(store.clock.now()));
      if (mode.mode === 'vault')
        await audit.record(principal, {
          action: 'mode.call',
          target_type: 'operation',
          target_id: operation.name,
          result: 'ok',
        });
      return { ...ctx, principal, mode };
    },
  };
}

/** Who was removed from a team is back in solo: nothing more goes there, nothing more is seen. */
function stillHolds(principal: Principal, mode: ModeContext, now: string): ModeContext {
  if (mode.mode !== 'team') return mode;
  return mayWorkIn(principal, mode, now).allowed ? mode : SOLO;
}
