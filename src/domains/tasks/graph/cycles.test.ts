// Circles in deep graphs, far beyond what is looked at in one go.
import { expect, test } from 'vitest';
import { type App, openApp } from '../../../../test/support/open-app.ts';
import type { ErrorBody } from '../../../kernel/errors.ts';

const DEEP_COUNT = 700;

/** Chains of tasks, each waiting for the one before it; their ids by name. */
async function chains(app: App, ...names: string[]): Promise<ReadonlyMap<string, string>> {
  const lines = names.flatMap((name) =>
    Array.from({ length: DEEP_COUNT }, (_, i) =>
      JSON.stringify({
        external_id: `deep:${name}${i}`,
        title: `${name}${i}`,
        depends_on: i ? [`deep:${name}${i - 1}`] : [],
      }),
    ),
  );
  const answer = await app.call('import_tasks', { content: lines.join('\n'), format: 'json' });
  expect(answer).toMatchObject({ failed: 0, problems: [] });
  const rows = await app.rows('select title, task_id from tasks');
  return new Map(rows.map(({ title, task_id }) => [String(title), String(task_id)]));
}

const link = (ids: ReadonlyMap<string, string>, task: string, on: string) => ({
  task_id: ids.get(task),
  add_dependencies: [ids.get(on)],
});

const namesIn = ({ details = {} }: ErrorBody) => (details.cycle as { title: string }[]).map(({ title }) => title);

test('a circle of many tasks is found and shown whole', async () => {
  await using app = await openApp();
  const ids = await chains(app, 'a');
  const refused = await app.refusal('update_kanban_task', link(ids, 'a0', `a${DEEP_COUNT - 1}`));
  expect(refused).toMatchObject({
    code: 'conflict',
    message: expect.stringContaining(`${ids.get('a1')} -> ${ids.get('a0')}`),
  });
  const around = Array.from({ length: DEEP_COUNT }, (_, i) => `a${DEEP_COUNT - 1 - i}`);
  expect(namesIn(refused)).toEqual(['a0', ...around]);
});

test('deep graphs on both sides of an edge: one that closes no circle is added, one that does is not', async () => {
  await using app = await openApp();
  const ids = await chains(app, 'a', 'b');
  const middle = Math.floor(DEEP_COUNT / 2);
  await app.call('update_kanban_task', link(ids, `a${middle}`, `b${middle}`));
  const refused = await app.refusal('update_kanban_task', link(ids, 'b0', `a${middle + 1}`));
  const from = (name: string, first: number) => Array.from({ length: first + 1 }, (_, i) => `${name}${first - i}`);
  expect(namesIn(refused)).toEqual(['b0', `a${middle + 1}`, `a${middle}`, ...from('b', middle)]);
  await app.call('update_kanban_task', link(ids, `a${DEEP_COUNT - 1}`, 'b0'));
});
