// `haivemind tasks board` and `tasks ready`: the work there is, drawn for people and one line a task for pipes.
import { type BoardTask, type Column, drawColumns, drawStories, plainBoard } from '../board.ts';
import type { OperationClient } from '../client.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions, stdoutStyle } from '../globals.ts';
import { openClient } from '../open-client.ts';
import { renderAnswer, toJsonText } from '../render.ts';

interface BoardFlags extends GlobalOptions {
  readonly project?: string;
  readonly stories?: boolean;
  readonly ids?: boolean;
  readonly limit?: string;
}

interface ReadyFlags extends GlobalOptions {
  readonly project?: string;
  readonly limit?: string;
}

/** Columns of the board, from left to right; the last one holds what was finished lately. */
const COLUMNS = ['backlog', 'todo', 'in_progress', 'blocked', 'review', 'done'] as const;
const ALWAYS: ReadonlySet<string> = new Set(['todo', 'in_progress', 'done']);
const DONE_SINCE = '7d';
const COLUMN_DEFAULT_TASKS = 12;
const STORIES_DEFAULT_TASKS = 200;
const READY_DEFAULT_TASKS = 20;

interface Listed {
  readonly tasks: readonly BoardTask[];
  readonly workload: readonly { readonly by_status: Readonly<Record<string, number>> }[] | null;
  readonly next_cursor: string | null;
}

export async function runBoard(flags: BoardFlags, ctx: CliContext): Promise<number> {
  const client = await openClient(ctx, configFor(ctx, flags));
  try {
    const { stdout } = ctx.io;
    const canvas = { width: stdout.columns, style: stdoutStyle(ctx, flags), now_ms: Date.now(), ids: flags.ids };
    if (flags.stories) {
      const tasks = await planOf(client, flags, ctx);
      stdout.write(flags.json ? `${toJsonText({ tasks }, 2)}\n` : drawStories(tasks, canvas));
      return EXIT.ok;
    }
    const columns = await columnsOf(client, flags, ctx);
    if (flags.json) stdout.write(`${toJsonText({ columns }, 2)}\n`);
    else if (stdout.isTTY) stdout.write(drawColumns(columns, canvas));
    else
      stdout.write(
        plainBoard(
          columns.flatMap(({ tasks }) => tasks),
          canvas.now_ms,
        ),
      );
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

export async function runReady(flags: ReadyFlags, ctx: CliContext): Promise<number> {
  const client = await openClient(ctx, configFor(ctx, flags));
  try {
    const { stdout, signal } = ctx.io;
    const limit = numberOf(flags.limit) ?? READY_DEFAULT_TASKS;
    const answer = await client.call('list_kanban_tasks', { ready: true, limit, ...placeOf(flags) }, { signal });
    const { tasks, next_cursor } = answer as unknown as Listed;
    const columns = ['task_id', 'priority', 'title', 'assigned_agent_id', 'due'];
    const binding = { group: 'tasks', verb: 'ready', table: { rows: 'tasks', columns } };
    if (flags.json) stdout.write(`${toJsonText({ tasks, next_cursor }, 2)}\n`);
    else stdout.write(renderAnswer({ tasks }, binding, stdout, stdoutStyle(ctx, flags)));
    if (!flags.json && next_cursor !== null) ctx.io.stderr.write(`More are ready: --limit ${limit * 2} shows them.\n`);
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

async function planOf(client: OperationClient, flags: BoardFlags, ctx: CliContext): Promise<readonly BoardTask[]> {
  const input = { order: 'sequence', limit: numberOf(flags.limit) ?? STORIES_DEFAULT_TASKS, ...placeOf(flags) };
  const answer = await client.call('list_kanban_tasks', input, { signal: ctx.io.signal });
  return (answer as unknown as Listed).tasks;
}

async function columnsOf(client: OperationClient, flags: BoardFlags, ctx: CliContext): Promise<Column[]> {
  const ask = async (input: object): Promise<Listed> =>
    (await client.call(
      'list_kanban_tasks',
      { ...input, ...placeOf(flags) },
      { signal: ctx.io.signal },
    )) as unknown as Listed;
  const limit = numberOf(flags.limit) ?? COLUMN_DEFAULT_TASKS;
  const { workload } = await ask({ view: 'workload' });
  const totals = new Map<string, number>();
  for (const { by_status } of workload ?? [])
    for (const [status, count] of Object.entries(by_status)) totals.set(status, (totals.get(status) ?? 0) + count);
  const columns: Column[] = [];
  for (const status of COLUMNS) {
    if (!ALWAYS.has(status) && (totals.get(status) ?? 0) === 0) continue;
    // What is over needs no place in the plan; the newest counts.
    const over = status === 'done';
    const how = over ? { order: 'updated', updated_since: DONE_SINCE } : { order: 'sequence' };
    const { tasks } = await ask({ status, limit, ...how });
    columns.push({ status, tasks, total: over ? tasks.length : (totals.get(status) ?? tasks.length) });
  }
  return columns;
}

function placeOf({ project }: { readonly project?: string }): { project_id?: string } {
  return project === undefined ? {} : { project_id: project };
}

/** The operation says what is wrong with a number. */
function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
