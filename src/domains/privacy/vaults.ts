// Vaults of an erased user: keys are destroyed before anything else, and what was made for several gets another owner.
import { sql } from 'kysely';
import type { ErasureGuard } from '../memory/index.ts';
import type { PrivacyDeps } from './deps.ts';
import { personalTable } from './personal-data.ts';
import { type AnyReader, isNamed, isOwn, pageOf, updateRow } from './rows.ts';
import { recorded } from './versioned.ts';

const BATCH_COUNT = 100;

/** Vaults without a team, made for several, go to whoever was given all rights first. Returns how many. */
export async function handVaultsOver(deps: PrivacyDeps, user_id: string, guard: ErasureGuard): Promise<number> {
  for (let count = 0; ; ) {
    const more = await handSomeOver(deps, user_id, guard);
    count += more;
    if (more < BATCH_COUNT) return count;
  }
}

function handSomeOver(deps: PrivacyDeps, user_id: string, guard: ErasureGuard): Promise<number> {
  const spec = personalTable('vaults');
  return deps.store.write(async (trx) => {
    await guard(trx as never);
    const any = trx as unknown as AnyReader;
    const condition = sql<boolean>`${isNamed(spec, user_id)} and vaults.team_id is null`;
    const rows = await pageOf(any, spec, { condition, columns: ['version_vector'], limit: BATCH_COUNT });
    for (const row of rows) {
      const heir = await trx
        .selectFrom('vault_grants')
        .select('grantee_id')
        .where('vault_id', '=', String(row.vault_id))
        .where('grantee_type', '=', 'user')
        .where('access_level', '=', 'admin')
        .where('expires_at', 'is', null)
        .where('grantee_id', '<>', user_id)
        .orderBy('granted_at')
        .orderBy('grant_id')
        .executeTakeFirstOrThrow();
      await updateRow(any, spec, row, {
        user_id: heir.grantee_id,
        ...(await recorded(deps.store, any, spec, row, 'put')),
      });
    }
    return rows.length;
  });
}

/** Destroys the data keys of the user's own vaults: from here on their secrets are noise, in whatever copy. */
export async function destroyKeys(deps: PrivacyDeps, user_id: string, guard: ErasureGuard): Promise<void> {
  const spec = personalTable('vaults');
  await deps.store.write(async (trx) => {
    await guard(trx as never);
    await sql`delete from vault_keys where vault_id in (
      select vaults.vault_id from vaults where ${isOwn(spec, user_id)})`.execute(trx);
    // What was granted to others in these vaults goes with them.
    await sql`delete from vault_grants where grantee_id <> ${user_id} and vault_id in (
      select vaults.vault_id from vaults where ${isOwn(spec, user_id)})`.execute(trx);
  });
}
