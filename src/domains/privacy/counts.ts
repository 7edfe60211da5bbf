// What an erasure would do, counted without changing anything.
import { toIso } from '../../kernel/clock.ts';
import type { PrivacyDeps } from './deps.ts';
import { memoryMentions, mentionsIn } from './mention-rows.ts';
import type { NameMatcher } from './mentions.ts';
import { columnsOf, PERSONAL } from './personal-data.ts';
import { type AnyReader, countRows, isNamed, isOwn } from './rows.ts';
import { planTeams } from './teams.ts';

export interface TableCounts {
  readonly table: string;
  /** Rows that go. */
  readonly deleted: number;
  /** Rows that stay with a pseudonym, or nothing, in the name's place. */
  readonly renamed: number;
  /** Rows of others whose texts mention the user. */
  readonly mentions: number;
}

export interface ErasureCounts {
  readonly tables: readonly TableCounts[];
  /** Teams that get another owner. */
  readonly teams_handed_over: number;
  /** Teams that end, because nobody is left who could own them. */
  readonly teams_deleted: number;
}

/** `matcher` absent: mentions are not counted. */
export async function countErasure(
  deps: PrivacyDeps,
  user_id: string,
  matcher: NameMatcher | undefined,
): Promise<ErasureCounts> {
  const db = deps.store.db as unknown as AnyReader;
  const tables: TableCounts[] = [];
  for (const spec of PERSONAL) {
    // The audit log counts for itself: names of its subjects are taken out, its rows stay.
    if (spec.erased_by === 'audit' && columnsOf(spec, 'owner').length === 0) continue;
    const own = await countRows(db, spec, isOwn(spec, user_id));
    const named = await countRows(db, spec, isNamed(spec, user_id));
    const mentions = matcher ? await mentionsOf(deps, spec.table, user_id, matcher) : 0;
    const deletes = spec.owned === 'delete';
    tables.push({ table: spec.table, deleted: deletes ? own : 0, renamed: named + (deletes ? 0 : own), mentions });
  }
  const plan = await planTeams(deps.store.db, user_id, toIso(deps.store.clock.now()));
  const teams_deleted = plan.filter(({ heir }) => heir === undefined).length;
  return { tables, teams_handed_over: plan.length - teams_deleted, teams_deleted };
}

async function mentionsOf(deps: PrivacyDeps, table: string, user_id: string, matcher: NameMatcher): Promise<number> {
  const spec = PERSONAL.find((one) => one.table === table);
  if (!spec || spec.erased_by === 'audit') return 0;
  // Versions and tags count with their memory.
  if (spec.erased_by === 'memory') return table === 'memories' ? memoryMentions(deps, user_id, matcher) : 0;
  return mentionsIn(deps.store.db as unknown as AnyReader, spec, user_id, matcher);
}
