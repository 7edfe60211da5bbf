// Changing the mode: what may be chosen, who may, and that it stands in the audit log.
import { toIso } from '../../kernel/clock.ts';
import { failure, type HaivemindError } from '../../kernel/errors.ts';
import { type ModeContext, type OperatingMode, type OperationContext, SOLO } from '../../kernel/operation.ts';
import { assertAllowed, mayWorkIn } from '../access/index.ts';
import type { Audit } from '../audit/index.ts';
import type { ModeDeps } from './deps.ts';
import { type ModeCaller, type Modes, type ModeTrx, modeName } from './modes.ts';

/** Returns since when it holds. Errors: `invalid_input` for a context that is missing or does not belong; `not_found` for one that is not the caller's. */
export async function setMode(
  deps: ModeDeps,
  ctx: OperationContext,
  mode: OperatingMode,
  context_id: string | null,
): Promise<string> {
  if (mode === 'solo' && context_id !== null)
    throw failure('invalid_input', 'set_mode: solo takes no context_id.', 'Leave context_id out.');
  if (mode === 'team' && context_id === null)
    throw failure('invalid_input', 'set_mode: team needs a context_id.', 'Give a team_id; list_teams shows yours.');
  const chosen = { mode, context_id };
  const { store, modes, audit } = deps;
  const vault = mode === 'vault' && context_id !== null ? await deps.vaultFacts(context_id) : undefined;
  assertAllowed(mayWorkIn(ctx.principal, chosen, toIso(store.clock.now()), vault), () => contextNotFound(chosen));
  return store.write(async (trx) => {
    const since = await modes.choose(trx, ctx, chosen);
    await audit.append(trx, ctx.principal, {
      action: 'mode.set',
      target_type: 'mode',
      target_id: context_id,
      result: 'ok',
      details: { mode, before: modeName(ctx.mode ?? SOLO) },
    });
    return since;
  });
}

interface FallBackDeps {
  readonly modes: Pick<Modes, 'fallBack'>;
  readonly audit: Pick<Audit, 'append'>;
}

/** Puts the session back to solo from a mode that ended by itself, and notes that once. */
export async function leaveLostMode(
  { modes, audit }: FallBackDeps,
  trx: ModeTrx & Parameters<Audit['append']>[0],
  caller: ModeCaller,
  from: ModeContext,
): Promise<void> {
  if (!(await modes.fallBack(trx, caller, from))) return;
  await audit.append(trx, caller.principal, {
    action: 'mode.fell_back',
    target_type: 'mode',
    target_id: from.context_id,
    result: 'ok',
    details: { mode: 'solo', before: modeName(from) },
  });
}

function contextNotFound({ mode, context_id }: ModeContext): HaivemindError {
  return failure(
    'not_found',
    `There is no ${mode} ${context_id}.`,
    'list_available_modes shows the teams and vaults you may work in.',
    { details: { context_id } },
  );
}
