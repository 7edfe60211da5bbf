// From a search request to its answer: filter, ranking, page, token budget, neighbours and folding.
import { toIso } from '../../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../../kernel/cursor.ts';
import { failure } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import { resolveSince } from '../../../kernel/moments.ts';
import { isAgentTransport, type OperationContext } from '../../../kernel/operation.ts';
import { type MemoryFilter, seen } from '../filters.ts';
import { reachIn } from '../reach.ts';
import { summarise } from '../render.ts';
import { listRows } from '../repository.ts';
import type { Memory } from '../schema.ts';
import type { MemoryDeps } from '../service.ts';
import { recordsFor } from '../shown.ts';
import { turnsAround } from './neighbours.ts';
import type { SearchInput, SearchOutput, SearchResult } from './schema.ts';
import type { Hit } from './search.ts';

/** English text of models' tokenizers has about four characters a token. */
const CHARS_PER_TOKEN = 4;
const SUMMARY_CHARS = 240;

/** The handler of search_memories. */
export async function answerSearch(deps: MemoryDeps, input: SearchInput, ctx: OperationContext): Promise<SearchOutput> {
  const filter = { ...toFilter(input, deps.store.clock.now()), ...reachIn(ctx, input.scope) };
  if (input.query.trim() === '') return listAnswer(deps, input, filter, ctx);
  const offset = input.cursor === undefined ? 0 : Number(decodeCursor(input.cursor, 1)[0]);
  if (offset >= limits.search_depth_max_items) throw tooDeep();
  const found = await deps.search.find(
    input.query,
    filter,
    { limit: input.limit + 1, offset, semantic: input.semantic },
    ctx,
  );
  const { results, used } = await withinBudget(deps, found.hits.slice(0, input.limit), input, filter, ctx);
  const more = found.hits.length > used && offset + used < limits.search_depth_max_items;
  const next_cursor = more ? encodeCursor([offset + used]) : null;
  return { results, next_cursor, mode: found.mode, notice: said(found.notice, elsewhere(results, input, ctx)) };
}

/** Ranking looks at all that comes before a page, so pages far down cost ever more and are worth ever less. */
function tooDeep() {
  return failure(
    'limit_exceeded',
    `A search goes at most ${limits.search_depth_max_items} results deep.`,
    'Narrow it by filters, or list everything with an empty query.',
  );
}

function said(...notices: readonly (string | null)[]): string | null {
  return notices.filter((notice) => notice !== null).join(' ') || null;
}

/** Who finds nothing should know where was not looked: the mode does that silently otherwise. */
function elsewhere(found: readonly unknown[], { scope, cursor }: SearchInput, ctx: OperationContext): string | null {
  if (found.length > 0 || scope !== undefined || cursor !== undefined || ctx.mode?.mode === 'team') return null;
  const teams = (ctx.principal.teams ?? []).length > 0 ? 'those of your teams and ' : '';
  return `Only your own memories were searched; scope=team,shared looks through ${teams}what is shared.`;
}

async function listAnswer(
  deps: MemoryDeps,
  input: SearchInput,
  filter: MemoryFilter,
  ctx: OperationContext,
): Promise<SearchOutput> {
  const after = input.cursor === undefined ? undefined : (decodeCursor(input.cursor, 2) as [string, number]);
  const rows = await listRows(deps.store.db, (eb) => seen(eb, filter, ctx.principal), {
    limit: input.limit + 1,
    ...(after ? { after } : {}),
  });
  const hits = rows.map((row): Hit => ({ row, score: 0, parts: {}, folded: [], excerpt: undefined }));
  const { results, used } = await withinBudget(deps, hits.slice(0, input.limit), input, filter, ctx);
  const last = rows[used - 1];
  const next_cursor = rows.length > used && last ? encodeCursor([last.created_at, last.row_id]) : null;
  return { results, next_cursor, mode: 'list', notice: elsewhere(results, input, ctx) };
}

/** As many hits as the token budget holds; the first is cut rather than left out. */
async function withinBudget(
  deps: MemoryDeps,
  hits: readonly Hit[],
  input: SearchInput,
  filter: MemoryFilter,
  ctx: OperationContext,
): Promise<{ results: SearchResult[]; used: number }> {
  // People and scripts get as many as they asked for; a model's window is small.
  const usual = isAgentTransport(ctx.session.transport) ? limits.answer_tokens_default : limits.answer_tokens_max;
  let room_chars = (input.max_tokens ?? usual) * CHARS_PER_TOKEN;
  const results: SearchResult[] = [];
  const records = await recordsFor(
    deps.store.db,
    hits.map((hit) => hit.row),
    ctx.principal,
  );
  for (const [i, hit] of hits.entries()) {
    const record = records[i];
    if (!record) continue;
    const around =
      input.detail === 'ids' ? [] : await turnsAround(deps.store.db, hit.row, input.neighbours, filter, ctx);
    const result = shape(hit, record, around, input);
    const cost_chars = JSON.stringify(result).length;
    if (cost_chars > room_chars && results.length > 0) break;
    results.push(cost_chars > room_chars ? cut(result, hit, room_chars) : result);
    room_chars -= cost_chars;
  }
  return { results, used: results.length };
}

/** The memory without what may be long besides its text, and as much of its text as there is room for. */
function cut(result: SearchResult, hit: Hit, room_chars: number): SearchResult {
  const { neighbours: _neighbours, metadata: _metadata, context: _context, ...rest } = result;
  if (result.content === undefined) return rest;
  const text = hit.excerpt ?? result.content;
  const max_chars = Math.max(SUMMARY_CHARS, room_chars - JSON.stringify({ ...rest, content: '' }).length);
  return { ...rest, content: text.slice(0, max_chars).toWellFormed(), content_truncated: true };
}

function shape(
  hit: Hit,
  memory: Memory,
  neighbours: NonNullable<SearchResult['neighbours']>,
  input: SearchInput,
): SearchResult {
  const extras = {
    score: Math.round(hit.score * 10_000) / 10_000,
    ...(hit.folded.length > 0 ? { duplicates: [...hit.folded] } : {}),
    ...(input.explain ? { explain: { ...hit.parts } } : {}),
  };
  if (input.detail === 'ids') return { memory_id: memory.memory_id, ...extras };
  const around = neighbours.length > 0 ? { neighbours } : {};
  const happened_at = memory.occurred_at ?? memory.created_at;
  if (input.detail === 'full') return { ...memory, happened_at, ...extras, ...around };
  const { memory_id, category, tags, project, created_at } = memory;
  const content = summarise(hit.excerpt ?? memory.content, SUMMARY_CHARS);
  return {
    memory_id,
    category,
    tags,
    project,
    created_at,
    happened_at,
    content,
    content_truncated: content !== memory.content,
    ...extras,
    ...around,
  };
}

function toFilter(input: SearchInput, now_ms: number): MemoryFilter {
  const { category, tags, tags_all, tags_none, machine_id, exclude_machines, agent_id, since, until } = input;
  const given = {
    project: input.project,
    project_id: input.project_id,
    session_id: input.session_id,
  };
  const places = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const present =
    input.include_superseded && input.valid_at === undefined ? {} : { valid_at: input.valid_at ?? toIso(now_ms) };
  return {
    ...places,
    ...present,
    include_superseded: input.include_superseded,
    ...(category === undefined ? {} : { category: typeof category === 'string' ? [category] : category }),
    ...(tags?.length ? { tags_any: tags } : {}),
    ...(tags_all?.length ? { tags_all } : {}),
    ...(tags_none?.length ? { tags_none } : {}),
    ...(machine_id?.length ? { machine_id } : {}),
    ...(exclude_machines?.length ? { exclude_machines } : {}),
    ...(agent_id?.length ? { agent_id } : {}),
    ...(since === undefined ? {} : { since: resolveSince(since, now_ms) }),
    ...(until === undefined ? {} : { until }),
  };
}
