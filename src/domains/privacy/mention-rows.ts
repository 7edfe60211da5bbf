// Rows of others whose texts mention the user: counted, and with the pseudonym put in the name's place.
import { sql } from 'kysely';
import { countMentions, type ErasureGuard, type Mentions, replaceMentions } from '../memory/index.ts';
import type { PrivacyDeps } from './deps.ts';
import type { NameMatcher } from './mentions.ts';
import { columnsOf, type PersonalTable, personalTable } from './personal-data.ts';
import { type AnyReader, deleteRow, isOwn, keyOf, pageOf, type Row, updateRow } from './rows.ts';
import { recorded } from './versioned.ts';

const BATCH_COUNT = 100;

export async function mentionsIn(
  db: AnyReader,
  spec: PersonalTable,
  user_id: string,
  matcher: NameMatcher,
): Promise<number> {
  let count = 0;
  for (let after: (string | number)[] | undefined; ; ) {
    const rows = await likelyRows(db, spec, user_id, matcher, after);
    count += rows.filter((row) => mentioning(spec, row, matcher).length > 0).length;
    const last = rows.at(-1);
    if (!last || rows.length < BATCH_COUNT) return count;
    after = keyOf(spec, last);
  }
}

/** Returns how many rows were changed or deleted. */
export async function takeMentionsOut(
  deps: PrivacyDeps,
  spec: PersonalTable,
  who: { readonly user_id: string; readonly pseudonym: string; readonly matcher: NameMatcher },
  guard: ErasureGuard,
): Promise<number> {
  let count = 0;
  for (let after: (string | number)[] | undefined; ; ) {
    const from = after;
    const { rows, changed } = await deps.store.write(async (trx) => {
      await guard(trx as never);
      const found = await likelyRows(trx as unknown as AnyReader, spec, who.user_id, who.matcher, from);
      const hits = found.filter((row) => mentioning(spec, row, who.matcher).length > 0);
      for (const row of hits) await takeOut(deps, trx as unknown as AnyReader, spec, row, who);
      return { rows: found, changed: hits.length };
    });
    count += changed;
    const last = rows.at(-1);
    if (!last || rows.length < BATCH_COUNT) return count;
    after = keyOf(spec, last);
  }
}

async function takeOut(
  deps: PrivacyDeps,
  trx: AnyReader,
  spec: PersonalTable,
  row: Row,
  { pseudonym, matcher }: { readonly pseudonym: string; readonly matcher: NameMatcher },
): Promise<void> {
  if (spec.mentions === 'delete') return deleteRow(trx, spec, row);
  const columns = mentioning(spec, row, matcher);
  const values = Object.fromEntries(columns.map((column) => [column, matcher.replace(String(row[column]), pseudonym)]));
  await updateRow(trx, spec, row, { ...values, ...(await recorded(deps.store, trx, spec, row, 'put')) });
}

function likelyRows(
  db: AnyReader,
  spec: PersonalTable,
  user_id: string,
  matcher: NameMatcher,
  after: readonly (string | number)[] | undefined,
): Promise<readonly Row[]> {
  const texts = columnsOf(spec, 'text', 'json');
  if (texts.length === 0) return Promise.resolve([]);
  const likely = texts.map((column) => matcher.likely(`${spec.table}.${column}`));
  const condition = sql<boolean>`(${sql.join(likely, sql` or `)}) and not coalesce(${isOwn(spec, user_id)}, false)`;
  const columns = spec.entity === undefined ? texts : [...texts, 'version_vector'];
  return pageOf(db, spec, { condition, columns, after, limit: BATCH_COUNT });
}

function mentioning(spec: PersonalTable, row: Row, matcher: NameMatcher): string[] {
  return columnsOf(spec, 'text', 'json').filter((column) => {
    const text = row[column];
    return typeof text === 'string' && matcher.mentionedIn(text);
  });
}

/** Memories of others that mention the user, in any version. */
export function memoryMentions(deps: PrivacyDeps, user_id: string, matcher: NameMatcher): Promise<number> {
  return countMentions(deps.memory, mentionsFor(user_id, matcher, ''));
}

export function takeMemoryMentionsOut(
  deps: PrivacyDeps,
  {
    user_id,
    pseudonym,
    matcher,
  }: { readonly user_id: string; readonly pseudonym: string; readonly matcher: NameMatcher },
  guard: ErasureGuard,
): Promise<number> {
  return replaceMentions(deps.memory, mentionsFor(user_id, matcher, pseudonym), pseudonym, guard);
}

function mentionsFor(user_id: string, matcher: NameMatcher, pseudonym: string): Mentions {
  return {
    user_id,
    columns: columnsOf(personalTable('memories'), 'text', 'json') as unknown as Mentions['columns'],
    likely: matcher.likely,
    replace: (text) => matcher.replace(text, pseudonym),
  };
}
