// A new team: whoever makes it owns it.
import { toIso } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { TeamDeps, TeamWrite } from './deps.ts';
import { membershipsOf } from './memberships.ts';
import { recordAct } from './records.ts';
import { putMember } from './repository.ts';

export interface NewTeam {
  readonly name: string;
  readonly description: string;
}

/** Errors: `limit_exceeded` for somebody who is in too many teams. */
export function createTeam(deps: TeamDeps, principal: Principal, { name, description }: NewTeam) {
  return deps.store.write(async (trx) => {
    const now_ms = deps.store.clock.now();
    const created_at = toIso(now_ms);
    const teams = await membershipsOf(trx, principal.user_id, created_at);
    if (teams.length >= limits.teams_per_user_max_count)
      throw failure(
        'limit_exceeded',
        `You are in ${limits.teams_per_user_max_count} teams already.`,
        'Leave one with remove_team_member.',
      );
    const team_id = newId('team', now_ms);
    const write: TeamWrite = { deps, trx, principal, team_id, now_ms };
    const created_by = principal.user_id;
    const version = await deps.store.recordChange(trx, {
      entity: 'team',
      entity_id: team_id,
      kind: 'put',
      before: {},
    });
    await trx
      .insertInto('teams')
      .values({ team_id, name, description, created_at, created_by, ...version })
      .execute();
    await putMember(write, created_by, undefined, {
      role: 'owner',
      overrides: {},
      expires_at: null,
      added_by: created_by,
    });
    await recordAct(write, { action: 'team.created' });
    return { team_id, created_at };
  });
}
