// The SQL of the full-text index on PostgreSQL. Every value is a parameter; sub-queries end in `offset 0` where the
// planner would otherwise be free to read the whole table: it knows nothing of how common the asked words are.
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { frequencySql, saturatedSql, type Totals } from './bm25.ts';
import { anyQuery } from './lexemes.ts';

/** A word to be scored: its tsquery, and what one occurrence is worth. */
export type WeighedWord = { readonly query: string; readonly weight: number };

/** Where candidates come from: the index of words, or given rows, whichever are fewer. */
export type Source =
  | { readonly kind: 'index'; readonly allowed: readonly number[] | undefined }
  | { readonly kind: 'rows'; readonly rows: readonly number[] };

export type Candidate = {
  readonly row_id: number;
  readonly score: number;
  readonly length: number;
  /** How often each phrase occurs in it, in the order asked; null: none does. */
  readonly phrases: readonly number[] | null;
};

export type CandidateRequest = {
  /** Words that choose the candidates. */
  readonly choosing: readonly WeighedWord[];
  /** Further words that score what was chosen. */
  readonly scoring: readonly WeighedWord[];
  readonly source: Source;
  readonly limit: number;
  /** Phrases that are looked for in what was chosen. */
  readonly phrases: readonly string[];
};

const lateralMatches = (source: Source): RawBuilder<unknown> => {
  const columns = sql`m.row_id, m.words, m.body_length, m.extra_length`;
  if (source.kind === 'index') {
    // `+ 0`: looked up in a hash of what is allowed, never row by row in the primary key once for each word.
    const filter = source.allowed === undefined ? sql`` : sql`and m.row_id + 0 = any(${source.allowed}::bigint[])`;
    return sql`asked a cross join lateral (
      select ${columns} from memory_texts m where m.words @@ a.query ${filter} offset 0) m`;
  }
  return sql`unnest(${source.rows}::bigint[]) r(row_id) cross join lateral (
      select ${columns} from memory_texts m where m.row_id = r.row_id offset 0) m
    join asked a on m.words @@ a.query`;
};

const askedRows = (words: readonly WeighedWord[]): RawBuilder<unknown> =>
  sql`unnest(${words.map((word) => word.query)}::tsquery[], ${words.map((word) => word.weight)}::float8[])`;

const furtherScore = (words: readonly WeighedWord[], totals: Totals): RawBuilder<unknown> =>
  words.length === 0
    ? sql`0`
    : sql`(select coalesce(sum(o.weight * ${saturatedSql(sql`o.frequency`, totals)}), 0) from (
        select w.weight, ${frequencySql(sql`w.query`)} as frequency
        from ${askedRows(words)} w(query, weight) where m.words @@ w.query offset 0) o)`;

const phrasesSql = (phrases: readonly string[]): RawBuilder<unknown> =>
  phrases.length === 0
    ? sql`null::float8[]`
    : sql`case when m.words @@ ${anyQuery(phrases)}::tsquery then array(
        select case when m.words @@ p.query then ${frequencySql(sql`p.query`)} else 0 end
        from unnest(${phrases}::tsquery[]) with ordinality p(query, place)
        order by p.place) end`;

/** The best rows of the chosen words, scored by all words: one statement. */
export const bestCandidates = async (
  db: Kysely<unknown>,
  request: CandidateRequest,
  totals: Totals,
): Promise<Candidate[]> => {
  const { rows } = await candidatesSql(request, totals).execute(db);
  return rows;
};

export const candidatesSql = (request: CandidateRequest, totals: Totals): RawBuilder<Candidate> => {
  const { choosing, scoring, source, limit, phrases } = request;
  return sql<Candidate>`
    with asked as materialized (select * from ${askedRows(choosing)} a(query, weight)),
    found as (
      select m.row_id, m.weight * ${saturatedSql(sql`m.frequency`, totals)} as score
      from (select m.row_id, m.body_length, m.extra_length, a.weight, ${frequencySql(sql`a.query`)} as frequency
        from ${lateralMatches(source)} offset 0) m
    ),
    chosen as materialized (
      select row_id, sum(score) as score from found group by row_id order by sum(score) desc, row_id limit ${limit}
    )
    select c.row_id::float8 as row_id, c.score + ${furtherScore(scoring, totals)} as score,
      m.body_length + m.extra_length as length, ${phrasesSql(phrases)} as phrases
    from chosen c cross join lateral (
      select m.words, m.body_length, m.extra_length from memory_texts m where m.row_id = c.row_id offset 0) m`;
};

/** In how many records each tsquery is found, counted no further than `cap`; and the last row id there is. */
export const countRecords = async (
  db: Kysely<unknown>,
  queries: readonly string[],
  cap: number,
): Promise<{ records: number[]; last_row: number }> => {
  const { rows } = await countSql(queries, cap).execute(db);
  const [row] = rows;
  return { records: row?.records ?? [], last_row: row?.last_row ?? 0 };
};

export const countSql = (
  queries: readonly string[],
  cap: number,
): RawBuilder<{ records: number[] | null; last_row: number }> =>
  sql`select (select coalesce(max(row_id), 0)::float8 from memory_texts) as last_row, (
      select array_agg(c.records order by a.place)
      from unnest(${queries}::tsquery[]) with ordinality a(query, place) cross join lateral (
        select count(*)::int as records from (
          select 1 from memory_texts m where m.words @@ a.query limit ${cap}) f) c) as records`;

/** In how many of these rows each tsquery is found. */
export const countInRows = async (
  db: Kysely<unknown>,
  queries: readonly string[],
  among: readonly number[],
): Promise<number[]> => {
  const { rows } = await sql<{ records: number }>`
    select (count(*) filter (where m.words @@ a.query))::int as records
    from unnest(${among}::bigint[]) r(row_id) cross join lateral (
      select m.words from memory_texts m where m.row_id = r.row_id offset 0) m
    cross join unnest(${queries}::tsquery[]) with ordinality a(query, place)
    group by a.place order by a.place`.execute(db);
  return rows.length === 0 ? queries.map(() => 0) : rows.map((row) => row.records);
};

/** The newest rows that hold a lexeme, among those after a row: read backwards, without the index of words. */
export const newestRows = async (
  db: Kysely<unknown>,
  query: string,
  after: number,
  limit: number,
): Promise<number[]> => {
  const { rows } = await sql<{ row_id: number }>`
    select m.row_id::float8 as row_id from memory_texts m
    where m.row_id > ${after} and ts_match_vq(m.words, ${query}::tsquery)
    order by m.row_id desc limit ${limit}`.execute(db);
  return rows.map((row) => row.row_id);
};
