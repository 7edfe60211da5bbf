// Teams whose only owner is erased: somebody else of the team owns it then, or it ends.
import { toIso } from '../../kernel/clock.ts';
import type { ErasureGuard } from '../memory/index.ts';
import type { PrivacyDeps, PrivacyStore, PrivacyTrx } from './deps.ts';
import { personalTable } from './personal-data.ts';
import { isPseudonym } from './pseudonym.ts';
import { type AnyReader, deleteRow, type Row, updateRow } from './rows.ts';
import { recorded } from './versioned.ts';

type Reader = Pick<PrivacyStore['db'], 'selectFrom'>;

/** Who comes after an owner: in this order, those who joined first before the others. Guests never. */
const SUCCESSION = ['admin', 'member', 'readonly'];

interface TeamPlan {
  readonly team_id: string;
  /** Row of who becomes the owner. */
  readonly heir: Row | undefined;
}

/** Teams in which the user is the only owner. `now`: ISO time. */
export async function planTeams(db: Reader, user_id: string, now: string): Promise<readonly TeamPlan[]> {
  const owned = await db
    .selectFrom('team_members')
    .select('team_id')
    .where('user_id', '=', user_id)
    .where('role', '=', 'owner')
    .orderBy('team_id')
    .execute();
  const plans: TeamPlan[] = [];
  for (const { team_id } of owned) {
    const plan = await planTeam(db, team_id, user_id, now);
    if (plan) plans.push(plan);
  }
  return plans;
}

async function planTeam(db: Reader, team_id: string, user_id: string, now: string): Promise<TeamPlan | undefined> {
  const others = await db
    .selectFrom('team_members')
    .selectAll()
    .where('team_id', '=', team_id)
    .where('user_id', '<>', user_id)
    .orderBy('added_at')
    .orderBy('member_id')
    .execute();
  const present = others.filter(({ expires_at }) => expires_at === null || expires_at > now);
  if (present.some(({ role }) => role === 'owner')) return undefined;
  // Those who stay come before those whose time ends.
  const ordered = [
    ...present.filter((row) => row.expires_at === null),
    ...present.filter((row) => row.expires_at !== null),
  ];
  const heir = SUCCESSION.map((role) => ordered.find((member) => member.role === role)).find(Boolean);
  return { team_id, heir: heir as Row | undefined };
}

/** Gives each of these teams another owner, where somebody is there to be one. */
export async function handTeamsOver(deps: PrivacyDeps, user_id: string, guard: ErasureGuard): Promise<number> {
  const spec = personalTable('team_members');
  const now = toIso(deps.store.clock.now());
  let handed_over = 0;
  for (const { team_id } of await planTeams(deps.store.db, user_id, now)) {
    handed_over += await deps.store.write(async (trx) => {
      await guard(trx as never);
      await holdTeam(deps, trx, team_id);
      const heir = (await planTeam(trx, team_id, user_id, now))?.heir;
      if (!heir) return 0;
      const any = trx as unknown as AnyReader;
      const versioned = await recorded(deps.store, any, spec, heir, 'put');
      await updateRow(any, spec, heir, { role: 'owner', capabilities: '{}', expires_at: null, ...versioned });
      return 1;
    });
  }
  return handed_over;
}

/** As every change of a team does: one after the other, on whatever hub. */
async function holdTeam({ store }: PrivacyDeps, trx: PrivacyTrx, team_id: string): Promise<void> {
  await store.dialect.forChange(trx.selectFrom('teams').select('team_id').where('team_id', '=', team_id)).execute();
}

/**
 * Deletes teams in which nobody is left but guests, their vaults' keys first. Memories of the team stay their writers'.
 * Only those the erased user owned: `team_ids`, and what an interrupted run left of somebody with a pseudonym.
 */
export async function endLeftTeams(
  deps: PrivacyDeps,
  team_ids: readonly string[],
  guard: ErasureGuard,
): Promise<number> {
  const now = toIso(deps.store.clock.now());
  const left = await deps.store.db
    .selectFrom('teams')
    .select(['team_id', 'created_by'])
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('team_members')
            .select('member_id')
            .whereRef('team_members.team_id', '=', 'teams.team_id')
            .where('role', '<>', 'guest')
            .where((or) => or.or([or('expires_at', 'is', null), or('expires_at', '>', now)])),
        ),
      ),
    )
    .execute();
  const ended = left.filter(({ team_id, created_by }) => team_ids.includes(team_id) || isPseudonym(created_by));
  for (const { team_id } of ended)
    await deps.store.write(async (trx) => {
      await guard(trx as never);
      await endTeam(deps, trx, team_id);
    });
  return ended.length;
}

async function endTeam(deps: PrivacyDeps, trx: PrivacyTrx, team_id: string): Promise<void> {
  const { store } = deps;
  const any = trx as unknown as AnyReader;
  const vaults = await trx.selectFrom('vaults').selectAll().where('team_id', '=', team_id).execute();
  const destroyed_at = toIso(store.clock.now());
  for (const vault of vaults) {
    await trx.deleteFrom('vault_keys').where('vault_id', '=', vault.vault_id).execute();
    const spec = personalTable('vaults');
    const versioned = await recorded(store, any, spec, vault as unknown as Row, 'put');
    await updateRow(any, spec, vault as unknown as Row, { destroyed_at, ...versioned });
  }
  const members = await trx.selectFrom('team_members').selectAll().where('team_id', '=', team_id).execute();
  for (const member of members) {
    await recorded(store, any, personalTable('team_members'), member as unknown as Row, 'delete');
    await deleteRow(any, personalTable('team_members'), member as unknown as Row);
  }
  await trx.deleteFrom('team_invitations').where('team_id', '=', team_id).execute();
  await trx.deleteFrom('team_activity').where('team_id', '=', team_id).execute();
  const spec = personalTable('teams');
  const team = await trx.selectFrom('teams').selectAll().where('team_id', '=', team_id).executeTakeFirst();
  if (!team) return;
  await recorded(store, any, spec, team as unknown as Row, 'delete');
  await deleteRow(any, spec, team as unknown as Row);
}
