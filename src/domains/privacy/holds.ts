// Legal holds: what may not be erased, because a court or an authority may ask for it.
import type { Selectable } from 'kysely';
import { toIso } from '../../kernel/clock.ts';
import { failure } from '../../kernel/errors.ts';
import { newId } from '../../kernel/ids.ts';
import type { Principal } from '../../kernel/operation.ts';
import { isAdmin } from '../access/index.ts';
import type { LegalHoldTable, PrivacyDeps, PrivacyStore } from './deps.ts';

export type LegalHold = Selectable<LegalHoldTable>;

type Reader = Pick<PrivacyStore['db'], 'selectFrom'>;

/** Holds on the user's data that are not released, oldest first. */
export function activeHolds(db: Reader, user_id: string): Promise<LegalHold[]> {
  return db
    .selectFrom('legal_holds')
    .selectAll()
    .where('user_id', '=', user_id)
    .where('released_at', 'is', null)
    .orderBy('placed_at')
    .orderBy('hold_id')
    .execute();
}

/** Throws `conflict` while a hold is active. Only administrators are told that this is the reason. */
export async function assertNoHold(db: Reader, user_id: string, principal: Principal): Promise<void> {
  const holds = await activeHolds(db, user_id);
  if (holds.length > 0) throw held(holds, principal);
}

function held(holds: readonly LegalHold[], principal: Principal) {
  if (!isAdmin(principal))
    return failure(
      'conflict',
      'This data cannot be erased at present.',
      'Ask an administrator of this hub. gdpr_export_user_data works.',
    );
  return failure(
    'conflict',
    `The data is under legal hold (${holds.length} not released); nothing was erased.`,
    'Release it with release_legal_hold when its reason is over.',
    { details: { hold_ids: holds.map(({ hold_id }) => hold_id) } },
  );
}

export function placeHold(deps: PrivacyDeps, principal: Principal, user_id: string, reason: string) {
  const { store, audit } = deps;
  const now_ms = store.clock.now();
  const hold: LegalHold = {
    hold_id: newId('hold', now_ms),
    user_id,
    reason,
    placed_at: toIso(now_ms),
    placed_by: principal.user_id,
    released_at: null,
    released_by: null,
  };
  return store.write(async (trx) => {
    await trx.insertInto('legal_holds').values(hold).execute();
    const details = { hold_id: hold.hold_id };
    await audit.append(trx, principal, entryOf('place_legal_hold', user_id, reason, details));
    return hold;
  });
}

/** Releases every active hold on the user's data. Throws `not_found` where there is none. */
export function releaseHolds(deps: PrivacyDeps, principal: Principal, user_id: string, reason: string) {
  const { store, audit } = deps;
  return store.write(async (trx) => {
    const holds = await activeHolds(trx, user_id);
    if (holds.length === 0)
      throw failure('not_found', 'There is no legal hold on this data.', 'Check the user id; nothing was changed.');
    const released = { released_at: toIso(store.clock.now()), released_by: principal.user_id };
    const hold_ids = holds.map(({ hold_id }) => hold_id);
    await trx.updateTable('legal_holds').set(released).where('hold_id', 'in', hold_ids).execute();
    const details = { hold_ids: hold_ids.join(' ') };
    await audit.append(trx, principal, entryOf('release_legal_hold', user_id, reason, details));
    return { hold_ids, released_at: released.released_at };
  });
}

function entryOf(action: string, user_id: string, reason: string, details: Readonly<Record<string, string>>) {
  return {
    action,
    target_type: 'user',
    target_id: null,
    result: 'ok',
    reason,
    affected_user_id: user_id,
    details,
  } as const;
}
