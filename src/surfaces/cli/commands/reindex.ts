// `haivemind reindex`: vectors and the index that holds them, brought to the memories, while hubs serve.
import type { ReindexReport } from '../../../domains/memory/index.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions, stdoutStyle } from '../globals.ts';
import { quiet } from '../open-client.ts';
import { progressBar } from '../progress.ts';
import { refuseRemoteHub } from '../remote-hub.ts';
import { toJsonText } from '../render.ts';

interface ReindexFlags extends GlobalOptions {
  readonly embed?: boolean;
  readonly full?: boolean;
}

const TITLES = { vectors: 'making vectors', index: 'comparing the index' } as const;

/** The store is opened here even while a hub runs: the work is shared with it through the store. */
export async function runReindex(flags: ReindexFlags, ctx: CliContext): Promise<number> {
  refuseRemoteHub(ctx.io.env);
  const runtime = await ctx.openRuntime(quiet(configFor(ctx, flags), ctx), { role: 'command' });
  const { signal } = ctx.io;
  let bar: ReturnType<typeof progressBar> | undefined;
  let phase: keyof typeof TITLES | undefined;
  try {
    const report = await runtime.reindex(
      { embed: flags.embed === true, full: flags.full === true },
      (progress) => {
        if (flags.json) return ctx.io.stdout.write(`${toJsonText({ type: 'progress', ...progress })}\n`);
        if (phase !== progress.phase) {
          bar?.stop();
          bar = progressBar(ctx.io.stderr, TITLES[progress.phase], progress.total);
          phase = progress.phase;
        }
        bar?.update(progress.done, `${progress.done} of ${progress.total}`);
      },
      signal,
    );
    bar?.stop();
    const text = flags.json ? `${toJsonText({ type: 'summary', ...report })}\n` : summaryOf(report, ctx, flags);
    ctx.io.stdout.write(text);
    return report.waiting_for_vectors + report.waiting_for_index > 0 ? EXIT.failure : EXIT.ok;
  } catch (error) {
    bar?.stop();
    if (!signal.aborted) throw error;
    ctx.io.stderr.write('interrupted; `haivemind reindex` goes on with what is left\n');
    return EXIT.interrupted;
  } finally {
    bar?.stop();
    await runtime.close({ abandon: signal.aborted });
  }
}

function summaryOf(report: ReindexReport, ctx: CliContext, flags: GlobalOptions): string {
  const style = stdoutStyle(ctx, flags);
  const { kind, place, memories, embedded, missing, stale, surplus } = report;
  const made = `${memories} memories, ${embedded} got vectors`;
  const index =
    kind === 'embedded'
      ? 'the index is part of each process and follows by itself'
      : `${kind} at ${place}: ${missing} were missing, ${stale} stale, ${surplus} surplus`;
  const left = [
    report.waiting_for_vectors > 0 ? `${report.waiting_for_vectors} still wait for their vectors` : '',
    report.waiting_for_index > 0
      ? `${report.waiting_for_index} ${report.waiting_for_index === 1 ? 'change still waits' : 'changes still wait'} for the index`
      : '',
  ].filter((part) => part !== '');
  const nothing = embedded + missing + stale + surplus === 0 && left.length === 0;
  const end = nothing
    ? style.green('nothing to do')
    : left.length > 0
      ? style.yellow(left.join(', '))
      : style.green('done');
  return `${made}; ${index}; ${end}\n`;
}
