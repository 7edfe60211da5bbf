// Importing and exporting through the public door, on each engine.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type App, openApp } from '../../../../test/support/open-app.ts';
import { onPostgres } from '../../../../test/support/test-store.ts';

const jsonl = (...values: unknown[]) => values.map((value) => JSON.stringify(value)).join('\n');
const bead = (id: string, fields: object = {}) => ({
  ...{ id, title: `Bead ${id}`, status: 'open', priority: 2, issue_type: 'task', created_at: '2025-12-01T00:00:00Z' },
  ...fields,
});
const waits = (id: string, ...on: string[]) => ({
  dependencies: on.map((depends_on_id) => ({ issue_id: id, depends_on_id, type: 'blocks' })),
});
const part = (id: string, story: string) => ({
  dependencies: [{ issue_id: id, depends_on_id: story, type: 'parent-child' }],
});

/** Tasks by external id, with ids of other tasks as external ids. */
async function board(app: App): Promise<Map<string, Record<string, unknown>>> {
  const rows = await app.rows('select * from tasks');
  const edges = await app.rows('select * from task_dependencies');
  const names = new Map(rows.map((row) => [row.task_id, String(row.external_id ?? row.task_id)]));
  return new Map(
    rows.map((row) => [
      String(row.external_id ?? row.task_id),
      {
        ...row,
        parent: row.parent_id === null ? null : names.get(row.parent_id),
        depends_on: edges
          .filter(({ task_id }) => task_id === row.task_id)
          .map((edge) => names.get(edge.depends_on_id))
          .sort(),
      },
    ]),
  );
}

describe('a first import', () => {
  test('makes tasks with their edges, whatever their order in the file', async () => {
    await using app = await openApp();
    const content = jsonl(
      bead('bd-3', { ...waits('bd-3', 'bd-1', 'bd-2') }),
      bead('bd-2', { ...part('bd-2', 'bd-9'), priority: 0 }),
      bead('bd-1', { status: 'closed', closed_at: '2025-12-05T00:00:00Z', close_reason: 'did it' }),
      bead('bd-9', { issue_type: 'epic', title: 'Story' }),
    );
    const report = await app.call('import_tasks', { content });
    expect(report).toMatchObject({ format: 'beads', created: 4, updated: 0, failed: 0, problems: [] });
    const tasks = await board(app);
    expect(tasks.get('beads:bd-3')).toMatchObject({
      depends_on: ['beads:bd-1', 'beads:bd-2'],
      open_dependencies: 1,
      is_ready: 0,
    });
    expect(tasks.get('beads:bd-2')).toMatchObject({ parent: 'beads:bd-9', is_ready: 1, priority: 0 });
    expect(tasks.get('beads:bd-9')).toMatchObject({ open_children: 1, is_ready: 0, tags: '["type:epic"]' });
    expect(tasks.get('beads:bd-1')).toMatchObject({
      ...{ status: 'done', resolution: 'did it', finished_at: '2025-12-05T00:00:00.000Z', progress: 100 },
      created_at: '2025-12-01T00:00:00.000Z',
    });
  });

  test('leaves circles, lost references and bad lines out, and says which', async () => {
    await using app = await openApp();
    const content = [
      JSON.stringify(bead('bd-1', waits('bd-1', 'bd-2'))),
      JSON.stringify(bead('bd-2', waits('bd-2', 'bd-3'))),
      'no json',
      JSON.stringify(bead('bd-3', waits('bd-3', 'bd-1'))),
      JSON.stringify(bead('bd-4', waits('bd-4', 'bd-77'))),
      JSON.stringify(bead('bd-5', { dependencies: [...waits('bd-5', 'bd-6').dependencies] })),
      JSON.stringify(bead('bd-6', part('bd-6', 'bd-5'))),
    ].join('\n');
    const report = await app.call('import_tasks', { content });
    expect(report).toMatchObject({ format: 'beads', created: 6, failed: 0 });
    const told = (report.problems as { line?: number; item?: string; message: string }[]).map(
      ({ line, item, message }) => `${line} ${item ?? ''}: ${message}`,
    );
    expect(told).toHaveLength(4);
    expect(told.join('\n')).toMatch(/^3 : is not JSON/m);
    expect(told.join('\n')).toMatch(
      /^4 beads:bd-3: waits for itself \(beads:bd-3 > beads:bd-1 > beads:bd-2 > beads:bd-3\)/m,
    );
    expect(told.join('\n')).toMatch(/^5 beads:bd-4: beads:bd-77 is neither in the file nor here/m);
    expect(told.join('\n')).toMatch(/^6 beads:bd-5: waits for itself/m);
    const tasks = await board(app);
    expect(tasks.get('beads:bd-3')).toMatchObject({ depends_on: [], is_ready: 1 });
    expect(tasks.get('beads:bd-6')).toMatchObject({ parent: 'beads:bd-5', is_ready: 1 });
  });

  test('one item that is refused keeps no other from being imported', async () => {
    await using app = await openApp();
    const chain = Array.from({ length: 10 }, (_, i) => bead(`bd-${i}`, i === 0 ? {} : part(`bd-${i}`, `bd-${i - 1}`)));
    const report = await app.call('import_tasks', { content: jsonl(...chain, bead('bd-last')) });
    expect(report.failed).toBeGreaterThan(0);
    expect(report.created + report.failed).toBe(11);
    expect((await board(app)).has('beads:bd-last')).toBe(true);
  });

  test('secrets are replaced, and comments come along once', async () => {
    await using app = await openApp();
    const secret = `ghp_${'a1B2'.repeat(9)}`;
    const comments = [
      { id: 1, issue_id: 'bd-1', author: 'bob', text: `use ${secret}`, created_at: '2025-12-02T00:00:00Z' },
    ];
    const content = jsonl(bead('bd-1', { description: `token ${secret}`, comments }));
    await app.call('import_tasks', { content });
    expect(await app.call('import_tasks', { content })).toMatchObject({ created: 0, updated: 0, unchanged: 1 });
    const tasks = await app.rows('select * from tasks');
    const history = await app.rows("select * from task_history where action = 'commented'");
    expect(history).toHaveLength(1);
    expect(JSON.stringify([tasks, history])).not.toContain(secret);
  });

  test('analytics count what was done elsewhere when it was done', async () => {
    await using app = await openApp();
    const done = { status: 'closed', started_at: '2025-12-20T00:00:00Z', closed_at: '2025-12-22T00:00:00Z' };
    await app.call('import_tasks', { content: jsonl(bead('bd-1', { ...done, created_at: '2025-12-18T00:00:00Z' })) });
    const analytics = await app.call('get_task_analytics', { days: 30 });
    expect(analytics).toMatchObject({
      ...{ created: 1, finished: 1, open: { count: 0 }, agents: [] },
      lead_time_hours: { count: 1, p50: 96 },
      cycle_time_hours: { count: 1, p50: 48 },
    });
    expect(await app.call('get_task_analytics', { days: 7 })).toMatchObject({ created: 0, finished: 0 });
  });
});

describe('a second import', () => {
  test('takes what the source changed and keeps what was changed here', async () => {
    await using app = await openApp();
    const first = bead('bd-1', { description: 'old', priority: 2, ...waits('bd-1', 'bd-2') });
    await app.call('import_tasks', { content: jsonl(first, bead('bd-2'), bead('bd-3')) });
    const task_id = String((await board(app)).get('beads:bd-1')?.task_id);
    await app.call('update_kanban_task', { task_id, title: 'Named here', priority: 'high' });
    const changed = { ...first, title: 'Named there', description: 'new', ...waits('bd-1', 'bd-3') };
    const report = await app.call('import_tasks', { content: jsonl(changed, bead('bd-2'), bead('bd-3')) });
    expect(report).toMatchObject({ created: 0, updated: 1, unchanged: 2 });
    expect(report.problems).toEqual([
      { line: 1, item: 'beads:bd-1', message: expect.stringContaining('title was changed here and in the source') },
    ]);
    expect((await board(app)).get('beads:bd-1')).toMatchObject({
      ...{ title: 'Named here', description: 'new', priority: 1, depends_on: ['beads:bd-3'] },
    });
    expect(await app.call('import_tasks', { content: jsonl(changed, bead('bd-2'), bead('bd-3')) })).toMatchObject({
      ...{ created: 0, updated: 0, unchanged: 3 },
    });
  });

  test('finishes what was finished there, and lets what waits for it begin', async () => {
    await using app = await openApp();
    await app.call('import_tasks', { content: jsonl(bead('bd-1'), bead('bd-2', waits('bd-2', 'bd-1'))) });
    expect((await board(app)).get('beads:bd-2')).toMatchObject({ is_ready: 0 });
    const done = bead('bd-1', { status: 'closed', closed_at: '2025-12-30T00:00:00Z' });
    await app.call('import_tasks', { content: jsonl(done, bead('bd-2', waits('bd-2', 'bd-1'))) });
    const tasks = await board(app);
    expect(tasks.get('beads:bd-1')).toMatchObject({ status: 'done', finished_at: '2025-12-30T00:00:00.000Z' });
    expect(tasks.get('beads:bd-2')).toMatchObject({ is_ready: 1, open_dependencies: 0 });
  });

  test('moves a part to the story its source moved it to', async () => {
    await using app = await openApp();
    const stories = [bead('bd-8'), bead('bd-9')];
    await app.call('import_tasks', { content: jsonl(...stories, bead('bd-1', part('bd-1', 'bd-8'))) });
    await app.call('import_tasks', { content: jsonl(...stories, bead('bd-1', part('bd-1', 'bd-9'))) });
    const tasks = await board(app);
    expect(tasks.get('beads:bd-1')).toMatchObject({ parent: 'beads:bd-9' });
    expect(tasks.get('beads:bd-8')).toMatchObject({ open_children: 0, is_ready: 1 });
    expect(tasks.get('beads:bd-9')).toMatchObject({ open_children: 1, is_ready: 0 });
  });

  test("another user's import makes tasks of their own", async () => {
    await using app = await openApp();
    await app.call('import_tasks', { content: jsonl(bead('bd-1')) });
    expect(await app.call('import_tasks', { content: jsonl(bead('bd-1')) }, { user: 'zoe' })).toMatchObject({
      created: 1,
    });
  });
});

describe('an export', () => {
  const status = fc.constantFrom('backlog', 'todo', 'blocked', 'review', 'done', 'failed', 'cancelled');
  const task = fc.record({
    title: fc
      .stringMatching(/^[A-Za-zäß!#@^*[\]<>\\:-][\w !#@^*[\]<>\\:.-]{0,30}$/)
      .filter((text) => text.trim() !== ''),
    description: fc.constantFrom(
      '',
      'One line',
      'Two\n\nparts',
      '- [ ] looks like a task\n## and a heading',
      '  indented',
    ),
    status,
    priority: fc.constantFrom('critical', 'high', 'medium', 'low'),
    tags: fc.uniqueArray(fc.constantFrom('a', 'b-c', 'ä', 'x:y'), { maxLength: 3 }),
    required_capabilities: fc.subarray(['search', 'storage']),
    estimate_minutes: fc.option(fc.integer({ min: 1, max: 9_999 })),
    due: fc.constantFrom(null, '2026-02-03T00:00:00.000Z', '2026-02-03T04:05:06.789Z'),
    story: fc.option(fc.nat(3)),
    waits: fc.array(fc.nat(9), { maxLength: 2 }),
  });
  const boards = fc.array(task, { minLength: 1, maxLength: 10 }).map((tasks) =>
    jsonl(
      ...tasks.map(({ story, waits: on, ...fields }, i) => ({
        ...fields,
        external_id: `test:${i}`,
        resolution: null,
        parent: story !== null && story < i && story < tasks.length ? `test:${story}` : null,
        depends_on: on.filter((n) => n !== i && n < tasks.length).map((n) => `test:${n}`),
      })),
    ),
  );

  test('into an empty hub gives the same board', async () => {
    await fc.assert(
      fc.asyncProperty(boards, async (content) => {
        await using one = await openApp();
        await using two = await openApp();
        await one.call('import_tasks', { content, format: 'json' });
        const out = await one.call('export_tasks', {});
        const report = await two.call('import_tasks', { content: out.content });
        expect(report).toMatchObject({ failed: 0, problems: [], created: out.tasks });
        const plain = (text: string) =>
          text
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line))
            .sort((a, b) => ((a.external_id ?? '') < (b.external_id ?? '') ? -1 : 1));
        expect(plain((await two.call('export_tasks', {})).content)).toEqual(plain(out.content));
        // And here nothing changes by it.
        expect(await one.call('import_tasks', { content: out.content })).toMatchObject({
          created: 0,
          updated: 0,
          problems: [],
        });
      }),
      { numRuns: onPostgres ? 3 : 12 },
    );
  });

  test('in Markdown is read again as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(boards, async (content) => {
        await using one = await openApp();
        await one.call('import_tasks', { content, format: 'json' });
        const out = await one.call('export_tasks', { format: 'markdown' });
        await using two = await openApp();
        await two.call('import_tasks', { content: out.content, format: 'markdown' });
        const seen = async (app: App) =>
          [...(await board(app))]
            .map(([name, row]) => {
              const {
                title,
                status: column,
                priority,
                parent,
                depends_on,
                due_at,
                estimate_minutes,
                required_capabilities,
              } = row;
              const words = String(title).replaceAll(/\s+/g, ' ').trim();
              return {
                name,
                words,
                column,
                priority,
                parent,
                depends_on,
                due_at,
                estimate_minutes,
                required_capabilities,
              };
            })
            .sort((a, b) => (a.name < b.name ? -1 : 1));
        expect(await seen(two)).toEqual(await seen(one));
      }),
      { numRuns: onPostgres ? 3 : 12 },
    );
  });

  test('pages are one text together', async () => {
    await using app = await openApp();
    await app.call('import_tasks', { content: jsonl(...Array.from({ length: 7 }, (_, i) => bead(`bd-${i}`))) });
    const whole = await app.call('export_tasks', {});
    let text = '';
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await app.call('export_tasks', { limit: 3, ...(cursor ? { cursor } : {}) });
      text += page.content;
      cursor = page.next_cursor;
    }
    expect(text).toBe(whole.content);
  });

  test('shows nobody what is not theirs', async () => {
    await using app = await openApp();
    await app.call('import_tasks', { content: jsonl(bead('bd-1')) });
    expect((await app.call('export_tasks', {}, { user: 'zoe' })).tasks).toBe(0);
    expect((await app.call('export_tasks', { format: 'markdown' }, { user: 'zoe' })).content).not.toContain('Bead');
  });
});
