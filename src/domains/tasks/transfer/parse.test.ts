// Boards of each format as items: what is taken, what is left out, and what is said of it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrange } from './arrange.ts';
import { parseBoard } from './parse.ts';

const jsonl = (...values: unknown[]) => values.map((value) => JSON.stringify(value)).join('\n');

function itemsOf(text: string, options = {}) {
  const parsed = parseBoard(text, options);
  return { ...parsed, byId: new Map(parsed.items.map(({ item }) => [item.external_id, item])) };
}

describe("beads' JSON Lines", () => {
  const bead = (id: string, fields: object = {}) => ({
    ...{ id, title: `Bead ${id}`, status: 'open', priority: 2, issue_type: 'task' },
    ...{ created_at: '2026-01-01T00:00:00.123456Z', updated_at: '2026-01-02T00:00:00Z' },
    ...fields,
  });
  const edge = (issue_id: string, depends_on_id: string, type: string) => ({ issue_id, depends_on_id, type });

  test('statuses, priorities, types and texts become ours', () => {
    const { byId, problems, format } = itemsOf(
      jsonl(
        bead('bd-1', { priority: 0, issue_type: 'bug', labels: ['UI', 'ui'], description: 'Why', design: 'How' }),
        bead('bd-2', { status: 'in_progress', priority: 1, assignee: 'ada', estimated_minutes: 90 }),
        bead('bd-3', { status: 'deferred', priority: 4 }),
        bead('bd-4', { status: 'blocked', priority: 3, external_ref: 'gh-9' }),
        bead('bd-5', { status: 'closed', closed_at: '2026-01-03T00:00:00Z', close_reason: 'shipped' }),
        bead('bd-6', { status: 'waiting-for-legal' }),
        bead('bd-7', { priority: 9 }),
      ),
    );
    expect(format).toBe('beads');
    expect(byId.get('beads:bd-1')).toMatchObject({
      ...{ priority: 'critical', status: 'todo', tags: ['ui', 'type:bug'], description: 'Why\n\n## Design\n\nHow' },
      created_at: '2026-01-01T00:00:00.123Z',
    });
    expect(byId.get('beads:bd-2')).toMatchObject({
      status: 'todo',
      priority: 'high',
      assignee: 'ada',
      estimate_minutes: 90,
    });
    expect(byId.get('beads:bd-3')).toMatchObject({ status: 'backlog', priority: 'low' });
    expect(byId.get('beads:bd-4')).toMatchObject({ status: 'blocked', priority: 'low' });
    expect(byId.get('beads:bd-4')?.description).toContain('- external: gh-9');
    expect(byId.get('beads:bd-5')).toMatchObject({
      ...{ status: 'done', resolution: 'shipped', finished_at: '2026-01-03T00:00:00.000Z' },
    });
    expect(byId.get('beads:bd-6')).toMatchObject({ status: 'todo', tags: ['status:waiting-for-legal'] });
    expect(problems).toEqual([{ line: 7, item: 'beads:bd-7', message: expect.stringContaining('priority 9') }]);
  });

  test('edges that make an issue wait are dependencies, the parent is the story, the rest is told', () => {
    const { byId } = itemsOf(
      jsonl(
        bead('bd-1', {
          dependencies: [
            edge('bd-1', 'bd-2', 'blocks'),
            edge('bd-1', 'bd-3', 'parent-child'),
            edge('bd-1', 'bd-4', 'related'),
            edge('bd-1', 'bd-5', 'discovered-from'),
            edge('bd-9', 'bd-8', 'blocks'),
          ],
          comments: [{ id: 7, issue_id: 'bd-1', author: 'bob', text: 'Look', created_at: '2026-01-01T10:00:00Z' }],
        }),
      ),
    );
    const item = byId.get('beads:bd-1');
    expect(item).toMatchObject({ depends_on: ['beads:bd-2'], parent: 'beads:bd-3' });
    expect(item?.description).toBe('## Links\n\n- related: bd-4\n- discovered-from: bd-5');
    expect(item?.comments).toEqual([
      { comment_id: 'beads:bd-1/7', author: 'bob', at: '2026-01-01T10:00:00.000Z', text: 'Look' },
    ]);
  });

  test('a bad line is named and the rest goes on; tombstones, messages and memories are passed over', () => {
    const text = [
      JSON.stringify(bead('bd-1')),
      '{"id": "bd-2", "title"',
      JSON.stringify(bead('bd-3', { title: '' })),
      JSON.stringify(bead('bd-4', { status: 'tombstone', deleted_at: '2026-01-01T00:00:00Z' })),
      JSON.stringify(bead('bd-5', { issue_type: 'message' })),
      JSON.stringify({ _type: 'memory', key: 'k', value: 'v' }),
      JSON.stringify(bead('bd-6')),
    ].join('\n');
    const { byId, problems, skipped } = itemsOf(text);
    expect([...byId.keys()]).toEqual(['beads:bd-1', 'beads:bd-6']);
    expect(problems.map(({ line }) => line)).toEqual([2, 3]);
    expect(skipped).toBe(3);
  });

  test('a long title goes on in the description', () => {
    const title = 'word '.repeat(90).trim();
    const [placed] = parseBoard(jsonl(bead('bd-1', { title, description: 'More' }))).items;
    expect(placed?.item.title.length).toBeLessThanOrEqual(200);
    expect(placed?.item.description).toBe(`${title}\n\nMore`);
  });
});

describe('GitHub issues', () => {
  const url = (n: number) => `https://github.com/Acme/app/issues/${n}`;
  const rest = (number: number, fields: object = {}) => ({
    ...{ number, title: `Issue ${number}`, html_url: url(number), state: 'open', labels: [], assignees: [] },
    ...{ created_at: '2026-01-01T00:00:00Z', body: null, state_reason: null, comments: 0 },
    ...fields,
  });

  test('REST arrays: labels, assignees, milestone, state and its reason; pull requests are passed over', () => {
    const { byId, skipped, format } = itemsOf(
      JSON.stringify([
        rest(1, {
          labels: [{ name: 'bug' }, { name: 'priority: high' }],
          assignees: [{ login: 'ada' }, { login: 'bob' }],
          milestone: { title: '1.0', due_on: '2026-03-01T00:00:00Z' },
        }),
        rest(2, { state: 'closed', state_reason: 'not_planned', closed_at: '2026-02-01T00:00:00Z' }),
        rest(3, { state: 'closed', state_reason: 'completed' }),
        rest(4, { pull_request: { url: 'x' } }),
        rest(5, { labels: ['blocked', 'P0'] }),
      ]),
    );
    expect(format).toBe('github');
    expect(byId.get('github:acme/app#1')).toMatchObject({
      ...{ priority: 'high', assignee: 'ada', due: '2026-03-01T00:00:00.000Z' },
      tags: ['bug', 'priority: high', 'milestone:1.0', 'assignee:bob'],
    });
    expect(byId.get('github:acme/app#2')).toMatchObject({ status: 'cancelled' });
    expect(byId.get('github:acme/app#3')).toMatchObject({ status: 'done' });
    expect(byId.get('github:acme/app#5')).toMatchObject({ status: 'blocked', priority: 'critical' });
    expect(skipped).toBe(1);
  });

  test('`gh issue list --json`: capital states, comments, parent, sub-issues, what blocks', () => {
    const gh = (number: number, fields: object = {}) => ({
      ...{ number, title: `Issue ${number}`, url: url(number), state: 'OPEN', stateReason: '', labels: [] },
      ...{ createdAt: '2026-01-01T00:00:00Z', body: '', ...fields },
    });
    const { byId } = itemsOf(
      JSON.stringify([
        gh(1, { subIssues: { nodes: [{ number: 2, url: url(2) }], totalCount: 1 } }),
        gh(2, {
          blockedBy: [{ number: 3, url: url(3) }],
          comments: [{ id: 'IC_1', author: { login: 'bob' }, body: 'Hm' }],
        }),
        gh(3, { state: 'CLOSED', stateReason: 'DUPLICATE', parent: { number: 1, url: url(1) } }),
      ]),
    );
    expect(byId.get('github:acme/app#2')).toMatchObject({
      ...{ parent: 'github:acme/app#1', depends_on: ['github:acme/app#3'] },
      comments: [{ comment_id: 'github:acme/app#2/IC_1', author: 'bob', text: 'Hm' }],
    });
    expect(byId.get('github:acme/app#3')).toMatchObject({ status: 'cancelled', parent: 'github:acme/app#1' });
  });

  test('task lists of a body: references are parts, other items become tasks; fences are left alone', () => {
    const body = [
      'Depends on #7 and other/repo#8',
      '- [ ] #2',
      `- [x] ${url(3)}`,
      '- [x] write the runbook',
      '- [ ] tell everybody (see #9)',
      '```',
      '- [ ] no task',
      '```',
    ].join('\n');
    const { byId } = itemsOf(JSON.stringify([rest(1, { body }), rest(2), rest(3), rest(9)]));
    expect(byId.get('github:acme/app#1')?.depends_on).toEqual(['github:acme/app#7', 'github:other/repo#8']);
    expect(byId.get('github:acme/app#2')?.parent).toBe('github:acme/app#1');
    expect(byId.get('github:acme/app#3')?.parent).toBe('github:acme/app#1');
    expect(byId.get('github:acme/app#9')?.parent).toBeNull();
    const todos = [...byId.values()].filter(({ external_id }) => external_id.includes('/todo-'));
    expect(todos.map(({ title, status, parent }) => [title, status, parent])).toEqual([
      ['write the runbook', 'done', 'github:acme/app#1'],
      ['tell everybody (see #9)', 'todo', 'github:acme/app#1'],
    ]);
  });

  test('without an address the repository has to be given', () => {
    const bare = JSON.stringify([{ number: 4, title: 'Bare', state: 'OPEN' }]);
    expect(parseBoard(bare).problems[0]?.message).toContain('does not tell its repository');
    expect(parseBoard(bare, { source: 'acme/app' }).items[0]?.item.external_id).toBe('github:acme/app#4');
  });

  test('pages and lines of issues are one list', () => {
    expect(parseBoard(JSON.stringify([[rest(1)], [rest(2)]])).items).toHaveLength(2);
    expect(parseBoard(jsonl(rest(1), rest(2))).items).toHaveLength(2);
  });
});

describe('Markdown boards', () => {
  test('headings are columns or stories, items nest, and words say more', () => {
    const text = [
      '---',
      'kind: board',
      '---',
      '# Search',
      '',
      '## Make it fast',
      'Why we do this.',
      '',
      '- [ ] Measure queries !high #perf needs:elasticsearch_ops est:2h ^measure',
      '  Look at the slow log.',
      '  - [x] Turn the log on',
      '- [!] Tune shards @elastic1-specialist due:2026-02-01 after:measure',
      '## Doing',
      '- Ship \\#1 fix',
      '## Done',
      '- [ ] Old thing',
      '- [z] odd',
    ].join('\n');
    const { items, problems, format } = parseBoard(text, { source: 'search.md' });
    expect(format).toBe('markdown');
    const byTitle = new Map(items.map(({ item }) => [item.title, item]));
    const story = byTitle.get('Make it fast');
    expect(story).toMatchObject({ parent: null, description: 'Why we do this.', status: 'todo' });
    expect(byTitle.get('Measure queries')).toMatchObject({
      ...{ external_id: 'markdown:search.md#measure', parent: story?.external_id, priority: 'high', tags: ['perf'] },
      ...{ required_capabilities: ['elasticsearch_ops'], estimate_minutes: 120, description: 'Look at the slow log.' },
    });
    expect(byTitle.get('Turn the log on')).toMatchObject({ parent: 'markdown:search.md#measure', status: 'done' });
    expect(byTitle.get('Tune shards')).toMatchObject({
      ...{ status: 'blocked', assignee: 'elastic1-specialist', due: '2026-02-01T00:00:00.000Z' },
      depends_on: ['markdown:search.md#measure'],
    });
    expect(byTitle.get('Ship #1 fix')).toMatchObject({ status: 'in_progress', parent: null });
    expect(byTitle.get('Old thing')).toMatchObject({ status: 'done' });
    expect(problems).toEqual([{ line: 17, message: '[z] is no box that is known' }]);
  });

  test('the same line twice is two tasks, and a second reading gives the same names', () => {
    const text = '## Todo\n- [ ] Same\n- [ ] Same\n';
    const first = parseBoard(text);
    expect(new Set(first.items.map(({ item }) => item.external_id)).size).toBe(2);
    expect(parseBoard(text)).toEqual(first);
  });
});

test('no text whatever makes a reader throw', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.array(fc.json()).map((lines) => lines.join('\n')),
    fc
      .array(fc.constantFrom('- [ ] a', '  - [x] b', '## c', '```', '\t* d', '1. [!] e', '', '- f #g'))
      .map((l) => l.join('\n')),
  );
  fc.assert(
    fc.property(texts, fc.constantFrom(undefined, 'json', 'beads', 'github', 'markdown'), (text, format) => {
      const parsed = parseBoard(text, format === undefined ? {} : { format: format as 'json' });
      expect(parsed.items.every(({ item }) => item.title !== '')).toBe(true);
      arrange(parsed);
    }),
  );
});
