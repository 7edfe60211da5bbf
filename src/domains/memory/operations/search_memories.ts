// search_memories: find by words and by meaning.
import { defineOperation, READS } from '../../../kernel/operation.ts';
import { listText, plural } from '../render.ts';
import { answerSearch } from '../search/answer.ts';
import { searchInput, searchOutput } from '../search/schema.ts';
import type { MemoryDeps } from '../service.ts';

export const searchMemories = defineOperation<MemoryDeps, typeof searchInput, typeof searchOutput>({
  name: 'search_memories',
  title: 'Search memories',
  description:
    'Finds memories by words and by meaning, best first: names, error codes, paths and paraphrases all work, typos too. Filters narrow it exactly. An empty query with filters lists newest first. Replaced and expired memories are left out unless asked for.',
  toolset: 'memory',
  core: true,
  input: searchInput,
  output: searchOutput,
  effects: READS,
  permission: 'memory.read',
  rest: { method: 'GET', path: '/memories' },
  cli: {
    group: 'memory',
    verb: 'search',
    positional: ['query'],
    alias: 'search',
    table: { rows: 'results', columns: ['score', 'memory_id', 'category', 'happened_at', 'content'] },
  },
  examples: [
    { title: 'A question', input: { query: 'why did checkout return 502', limit: 5 } },
    { title: 'Incidents of the last week', input: { query: '', category: 'incidents', since: '7d' } },
  ],
  handle: answerSearch,
  text(out) {
    const sentence = `${plural(out.results.length, 'result')}. ${out.notice ?? ''}`.trim();
    return listText(sentence, out.results as Parameters<typeof listText>[1], out.next_cursor);
  },
});
