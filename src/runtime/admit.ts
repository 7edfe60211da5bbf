// The gate before every operation: who is this, in which teams, in which mode, and may they call this at all?
import { assertAllowed, mayCall, maySeeWork, mayWorkIn } from '../domains/access/index.ts';
import type { AgentTables } from '../domains/agents/index.ts';
import type { Audit, AuditTables } from '../domains/audit/index.ts';
import {
  leaveLostMode,
  type ModeRow,
  type Modes,
  type ModeTables,
  modeName,
  type VaultSight,
} from '../domains/modes/index.ts';
import type { ProjectTables } from '../domains/projects/index.ts';
import { membershipsOf, type TeamTables } from '../domains/teams/index.ts';
import { toIso } from '../kernel/clock.ts';
import { failure } from '../kernel/errors.ts';
import { type ModeContext, type Operation, type OperationContext, type Principal, SOLO } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';
import { sessionContextOf } from './session-context.ts';

export interface GateDeps extends Pick<VaultSight, 'vaultFacts'> {
  readonly store: Database<TeamTables & ModeTables & AuditTables & AgentTables & ProjectTables>;
  readonly modes: Modes;
  readonly audit: Audit;
}

export interface Gate {
  /** Throws `forbidden` where the credential does not allow the operation. */
  admit(operation: Operation, ctx: OperationContext): Promise<OperationContext>;
  /** The same principal with the teams it is in now: for work that runs outside operations. */
  withTeams(principal: Principal): Promise<Principal>;
}

export function createGate(deps: GateDeps): Gate {
  const { store, audit } = deps;
  async function withTeams(principal: Principal): Promise<Principal> {
    return { ...principal, teams: await membershipsOf(store.db, principal.user_id, toIso(store.clock.now())) };
  }
  return {
    withTeams,
    async admit(operation, ctx) {
      assertAllowed(mayCall(ctx.principal, operation.permission), () =>
        failure('not_found', `There is no tool called ${operation.name}.`, 'List the tools to see the names.'),
      );
      const { mode, ...known } = await recognise(deps, ctx);
      const { principal } = known;
      if (mode.mode === 'vault')
        await audit.record(principal, {
          action: 'mode.call',
          target_type: 'operation',
          target_id: operation.name,
          result: 'ok',
        });
      return { ...known, mode };
    },
  };
}

/** Who calls, at this moment. Reads that do not wait for each other run together, where the engine can. */
async function recognise({ store, modes, ...deps }: GateDeps, ctx: OperationContext) {
  const [teams, { agent, renamed, project }, kept] = await Promise.all([
    membershipsOf(store.db, ctx.principal.user_id, toIso(store.clock.now())),
    sessionContextOf(store.db, ctx),
    ctx.session.transport === 'internal' ? undefined : modes.find(ctx),
  ]);
  const acting = agent?.agent_id ?? renamed;
  const principal = { ...ctx.principal, ...(acting === undefined ? {} : { agent_id: acting }), teams };
  const seen = project && maySeeWork(principal, project).allowed ? project : undefined;
  const known = {
    ...ctx,
    principal,
    ...(agent ? { agent } : {}),
    ...(renamed === undefined ? {} : { client: ctx.principal.agent_id }),
    ...(seen ? { project: { project_id: seen.project_id, name: seen.name } } : {}),
  };
  return { ...known, mode: await modeNow({ store, modes, ...deps }, known, kept) };
}

/**
 * The session's mode, if it still holds. Who was removed from a team, or may no longer use a vault, is back in solo for
 * good: nothing more goes there, nothing more is seen, and coming back does not switch the mode by itself.
 */
async function modeNow(deps: GateDeps, ctx: OperationContext, kept: ModeRow | undefined): Promise<ModeContext> {
  const { store, modes, vaultFacts } = deps;
  const { mode, over } = await modes.of(ctx, kept);
  const vault = mode.mode === 'vault' && mode.context_id !== null ? await vaultFacts(mode.context_id) : undefined;
  const allowed = mayWorkIn(ctx.principal, mode, toIso(store.clock.now()), vault).allowed;
  if (allowed && !over) return mode;
  await store.write((trx) => leaveLostMode(deps, trx, ctx, mode));
  const why = allowed ? 'this session was silent for too long' : 'you may not work there any more';
  return { ...SOLO, note: `fell back from ${modeName(mode)}: ${why}` };
}
