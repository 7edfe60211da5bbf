// `haivemind migrate-store`: the whole store to another engine, with progress and a table of what was verified.
import { failure } from '../../../kernel/errors.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions, stdoutStyle } from '../globals.ts';
import { probeHub } from '../hub-file.ts';
import type { MoveDone, MoveEvent, MovePlan } from '../move.ts';
import { type Bar, progressBar } from '../progress.ts';
import { refuseRemoteHub } from '../remote-hub.ts';
import { toJsonText } from '../render.ts';
import { keepHeapSmall } from '../small-heap.ts';

interface MigrateFlags extends GlobalOptions {
  readonly from?: string;
  readonly to?: string;
  readonly dryRun?: boolean;
  readonly restart?: boolean;
  readonly online?: boolean;
}

export async function runMigrateStore(flags: MigrateFlags, ctx: CliContext): Promise<number> {
  refuseRemoteHub(ctx.io.env);
  keepHeapSmall();
  const config = configFor(ctx, flags);
  const stdout = (text: string) => ctx.io.stdout.write(text);
  const watch = watcher(flags, ctx);
  try {
    const report = await ctx.moveStore(config, {
      from: flags.from ?? '',
      to: flags.to ?? '',
      cwd: ctx.io.cwd,
      dry_run: flags.dryRun === true,
      restart: flags.restart === true,
      guard: (end, data_dir) => refuseHub(end, data_dir, flags),
      signal: ctx.io.signal,
      onEvent: watch.onEvent,
    });
    watch.stop();
    if (flags.json) stdout(`${toJsonText(report)}\n`);
    else
      stdout(
        report.type === 'plan'
          ? planText(report)
          : doneText(report, isPostgres(flags.to), stdoutStyle(ctx, flags).green),
      );
    return EXIT.ok;
  } finally {
    watch.stop();
  }
}

/** A running hub goes on writing: what it gets after the last look would be at the old place only. */
async function refuseHub(end: 'from' | 'to', data_dir: string, { online }: MigrateFlags): Promise<void> {
  const found = await probeHub(data_dir);
  if (found.state !== 'alive' && found.state !== 'silent') return;
  if (end === 'from' && online) return;
  throw failure(
    'conflict',
    `A hub runs on ${data_dir}: process ${found.hub.pid} at ${found.hub.url}.`,
    end === 'from'
      ? `Stop it (kill ${found.hub.pid}), or add --online and stop it when the move is done.`
      : `Stop it (kill ${found.hub.pid}) and run this again.`,
    { details: { pid: found.hub.pid, url: found.hub.url } },
  );
}

interface Watcher {
  onEvent(event: MoveEvent): void;
  stop(): void;
}

/** One bar for each table, events as lines with --json. */
function watcher(flags: MigrateFlags, ctx: CliContext): Watcher {
  let bar: Bar | undefined;
  let current = '';
  const stop = () => {
    bar?.stop();
    bar = undefined;
  };
  return {
    stop,
    onEvent(event) {
      if (flags.json) {
        ctx.io.stdout.write(`${toJsonText(event)}\n`);
        return;
      }
      const title = `${event.phase === 'copy' ? 'copying' : 'verifying'} ${event.table}`;
      if (title !== current) {
        stop();
        current = title;
        bar = progressBar(ctx.io.stderr, title, event.of);
      }
      bar?.update(event.rows, `${event.rows} of ${event.of} rows`);
    },
  };
}

function planText(plan: MovePlan): string {
  const lines = plan.tables.map(({ table, rows }) => `${table}\t${rows}`);
  const target = {
    nothing: 'is empty',
    unused: 'has a store in which nothing was stored; it would be kept beside the new one',
    used: 'holds a store already: the move would be refused',
  }[plan.target];
  const unfinished = plan.unfinished ? '. An unfinished copy lies there; a run goes on with it' : '';
  return `Would move ${plan.from} to ${plan.to}, which ${target}${unfinished}.\n${[...lines, ...sideLines(plan)].join('\n')}\n`;
}

function doneText(done: MoveDone, toPostgres: boolean, green: (text: string) => string): string {
  const lines = done.tables.map(({ table, rows, hash }) => `${table}\t${rows}\t${hash}`);
  const kept = done.kept === undefined ? '' : `; what was there before is ${done.kept}`;
  const head = green(`${done.memories} memories moved from ${done.from} to ${done.to}`);
  return `${head}${done.resumed ? ', an earlier run continued' : ''}${kept}. Rows and hashes are the same at both ends:\n${[...lines, ...sideLines(done), ...nextSteps(toPostgres)].join('\n')}\n`;
}

const isPostgres = (place = ''): boolean => /^postgres(?:ql)?:/.test(place);

function nextSteps(toPostgres: boolean): string[] {
  const where = toPostgres
    ? 'set HAIVEMIND_DATABASE_URL or storage.postgres for every process of this store'
    : 'set HAIVEMIND_DATA_DIR or storage.data_dir to the directory of haivemind.db for every process of this store, and unset HAIVEMIND_DATABASE_URL and storage.postgres.url';
  return [
    `next: ${where}, and start them again; \`haivemind doctor\` says which store is used.`,
    'next: where vectors are in Chroma or pgvector, run `haivemind reindex` then.',
    'The source stays as it is; nothing reads it any more once that is done.',
  ];
}

function sideLines({ left_out, notes }: MovePlan | MoveDone): string[] {
  return [
    ...left_out.map(({ table, rows, reason }) => `left out: ${table}\t${rows}\t${reason}`),
    ...notes.map((note) => `note: ${note}`),
  ];
}
