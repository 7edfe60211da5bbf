// The board as it is printed: to the letter, without escape codes, and within the width it is given.
import { expect, test } from 'vitest';
import { type BoardTask, drawColumns, drawStories, plainBoard } from './board.ts';
import { PLAIN } from './style.ts';

const now_ms = Date.parse('2026-01-10T12:00:00Z');

function task(fields: Partial<BoardTask>): BoardTask {
  return {
    ...{ task_id: 'task_1', title: 'A task', status: 'todo', priority: 'medium', ready: true, due: null },
    ...{ holder_agent_id: null, assigned_agent_id: null, started_at: null, finished_at: null },
    created_at: '2026-01-10T11:30:00.000Z',
    ...fields,
  };
}

const measure = task({
  title: 'Measure queries',
  label: '1',
  story_label: '2',
  critical: true,
  depth: 1,
  priority: 'high',
});
const tune = task({
  ...{ task_id: 'task_2', title: 'Tune the shards of every host', label: '2a', story_label: '2', depth: 1 },
  ...{
    status: 'in_progress',
    holder_agent_id: 'elastic1-specialist',
    started_at: '2026-01-10T09:00:00.000Z',
    critical: true,
  },
});
const wait = task({
  task_id: 'task_3',
  title: 'Tune heap',
  label: '2b',
  story_label: '2',
  depth: 1,
  ready: false,
  due: '2026-01-01T00:00:00.000Z',
});
const story = task({ task_id: 'task_0', title: 'Make it fast', label: '2', critical: true, depth: 0, ready: false });

test('columns stand side by side where there is room', () => {
  const columns = [
    { status: 'todo', tasks: [measure, wait], total: 5 },
    { status: 'in_progress', tasks: [tune], total: 1 },
  ];
  expect(drawColumns(columns, { width: 62, style: PLAIN, now_ms })).toBe(
    [
      'TODO 5                          IN PROGRESS 1',
      '------------------------------  ------------------------------',
      '2.1* Measure queries            2.2a* Tune the shards of ever…',
      '  30m high ready                  3h @elastic1-specialist',
      '2.2b Tune heap',
      '  30m waits overdue',
      '  and 3 more',
      '* critical path; --ids shows their ids',
      '',
    ].join('\n'),
  );
});

test('and below each other where there is none', () => {
  const columns = [
    { status: 'todo', tasks: [measure], total: 1 },
    { status: 'done', tasks: [], total: 0 },
  ];
  expect(drawColumns(columns, { width: 30, style: PLAIN, now_ms })).toBe(
    [
      'TODO 1',
      '------------------------------',
      '2.1* Measure queries',
      '  30m high ready',
      '',
      'DONE 0',
      '------------------------------',
      '* critical path; --ids shows…',
      '',
    ].join('\n'),
  );
});

test('the plan shows stories, then their tickets by stage', () => {
  expect(drawStories([story, measure, tune, wait], { width: 70, style: PLAIN, now_ms })).toBe(
    [
      '2* Make it fast [todo] 30m waits',
      '  1* Measure queries [todo] 30m high ready',
      '  2a* Tune the shards of ever… [in_progress] 3h @elastic1-specialist',
      '  2b Tune heap [todo] 30m waits overdue',
      '* critical path; --ids shows their ids',
      '',
    ].join('\n'),
  );
  expect(drawStories([], { width: 70, style: PLAIN, now_ms })).toBe('no tasks\n');
});

test('ids are shown whole where they are asked for, columns below each other where they would be cut', () => {
  const task_id = `task_${'x'.repeat(32)}`;
  const tasks = [task({ task_id, label: '1' })];
  const wide = { width: 100, style: PLAIN, now_ms, ids: true };
  const columns = [
    { status: 'todo', tasks, total: 1 },
    { status: 'done', tasks: [], total: 0 },
  ];
  expect(drawColumns(columns, wide).split('\n').slice(2)).toEqual(['1 A task', '  30m ready', `  ${task_id}`, '']);
  const narrow = drawColumns(columns, { ...wide, width: 70 });
  expect(narrow).toContain(`\n  ${task_id}\n`);
  expect(narrow.split('\n')[0]).toBe('TODO 1');
  expect(drawStories(tasks, wide)).toBe(`1 A task [todo] 30m ready\n  ${task_id}\n`);
});

test('piped, a task is a line of fields', () => {
  expect(plainBoard([tune, task({ title: 'Two\nlines\tand tabs' })], now_ms)).toBe(
    'in_progress\t2.2a\t*\ttask_2\tmedium\telastic1-specialist\t3h\tTune the shards of every host\n' +
      'todo\t\t\ttask_1\tmedium\t\t30m\tTwo lines and tabs\n',
  );
});

test('no line is wider than the terminal, whatever the titles hold, and nothing in them is obeyed', () => {
  const titles = [
    '\u001b[2Jgone',
    '検索を速くする作業の説明がとても長い',
    '👩‍🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀',
    'x'.repeat(300),
    '\u202eturned',
  ];
  const tasks = titles.map((title, i) => task({ title, task_id: `task_${i}`, assigned_agent_id: 'a\u0007b' }));
  for (const width of [20, 40, 61, 100]) {
    const text = drawColumns(
      [
        { status: 'todo', tasks, total: 5 },
        { status: 'review', tasks, total: 9 },
      ],
      {
        ...{ width, style: PLAIN, now_ms },
      },
    );
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not get through.
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
    for (const line of text.split('\n')) expect([...line].length).toBeLessThanOrEqual(width);
  }
});
