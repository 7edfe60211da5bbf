// What is known about a piece of work, given back where it starts: best first, each shortened to what a reader needs.
import { toIso } from '../../kernel/clock.ts';
import { type OperationContext, SOLO } from '../../kernel/operation.ts';
import { mayCall } from '../access/index.ts';
import { findByWords, type MemoryDeps, summarise } from '../memory/index.ts';
import type { Learning, RelatedKnowledge } from './types.ts';

/** Later words of a long description cost time and say little more. */
const WORDS_MAX_COUNT = 24;
const WORDS_MAX_CHARS = 400;
const EXCERPT_CHARS = 300;
/** Hits that score less than this share of the best only have a word in common with it. */
const SCORE_SHARE_MIN = 0.35;
/** Procedures and incidents stand before other knowledge that scores this much more at most. */
const PREFERENCE_SHARE = 0.05;
const PREFERRED: ReadonlySet<string> = new Set(['runbooks', 'incidents']);
/** More than asked for, so that preferred ones just below the end are found. */
const LOOKED_AT_PER_ASKED = 2;

type How = Parameters<Learning['related']>[2];

interface Found {
  readonly row: Pick<RelatedKnowledge, 'memory_id' | 'category' | 'content' | 'agent_id' | 'machine_id' | 'created_at'>;
  readonly score: number;
  /** The part of a long text that matched. */
  readonly excerpt?: string | undefined;
}

export async function relatedTo(
  memory: Pick<MemoryDeps, 'search' | 'store'>,
  words: string,
  ctx: OperationContext,
  how: How,
): Promise<readonly RelatedKnowledge[]> {
  const question = words.slice(0, WORDS_MAX_CHARS).split(/\s+/).slice(0, WORDS_MAX_COUNT).join(' ').trim();
  // It comes with another answer: a token that reads no memories gets none by the way.
  if (question === '' || how.limit < 1 || !mayCall(ctx.principal, 'memory.read').allowed) return [];
  const filter = {
    reach: reachOf(ctx, how),
    valid_at: toIso(memory.store.clock.now()),
    include_superseded: false,
    ...(how.project_id === undefined ? {} : { project_id: how.project_id }),
  };
  const limit = LOOKED_AT_PER_ASKED * how.limit;
  const hits: readonly Found[] = how.semantic
    ? (await memory.search.find(question, filter, { limit, offset: 0, semantic: true }, ctx)).hits
    : await findByWords(memory.store, question, filter, limit, ctx);
  const found = hits.map(({ row, score, excerpt }): RelatedKnowledge => {
    const { memory_id, category, agent_id, machine_id, created_at } = row;
    const content = summarise(excerpt ?? row.content, EXCERPT_CHARS);
    return { memory_id, category, content, score: rounded(score), agent_id, machine_id, created_at };
  });
  return preferred(found).slice(0, how.limit);
}

/** Best first, procedures and incidents first on near ties; without what is far from the best. */
export function preferred(found: readonly RelatedKnowledge[]): RelatedKnowledge[] {
  const best = Math.max(0, ...found.map(({ score }) => score));
  const weight = ({ category, score }: RelatedKnowledge) =>
    (PREFERRED.has(category) ? 1 + PREFERENCE_SHARE : 1) * score;
  return found.filter(({ score }) => score >= SCORE_SHARE_MIN * best).toSorted((a, b) => weight(b) - weight(a));
}

/** One's own memories and shared ones, and the team's: that of the work, else that of the mode. */
function reachOf({ mode = SOLO, principal }: OperationContext, { team_id }: How) {
  const team = team_id ?? (mode.mode === 'team' ? mode.context_id : null);
  const own = [{ user_id: principal.user_id }, { scope: 'shared' as const }] as const;
  return team === null ? own : ([...own, { scope: 'team' as const, team_id: team }] as const);
}

function rounded(score: number): number {
  return Math.round(score * 10_000) / 10_000;
}
