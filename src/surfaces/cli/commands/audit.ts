// `haivemind audit verify` and `audit anchor`: the operations of that name, with files, and an exit code scripts can ask.
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { failure } from '../../../kernel/errors.ts';
import type { CliContext, Finish, OperationShape } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions, stdoutStyle } from '../globals.ts';
import { openClient } from '../open-client.ts';
import { progressBar } from '../progress.ts';
import { readText } from '../read-text.ts';
import { toJsonText } from '../render.ts';
import { shown } from '../shown.ts';

/** Adds the command of an operation that needs more than its fields; false where it does not. */
export function addAuditCommand(parent: Command, shape: OperationShape, ctx: CliContext, finish: Finish): boolean {
  if (shape.name !== 'verify_audit_log' && shape.name !== 'anchor_audit_log') return false;
  const command = parent.command(shape.cli.verb).summary(shape.title).description(shape.description);
  if (shape.name === 'verify_audit_log') {
    command
      .option('--anchor <file>', 'an anchor taken earlier: shows whether newest rows were removed since')
      .action(async (options: VerifyFlags) => finish(await runVerify(options, ctx)));
  } else {
    command
      .option('-o, --output <file>', 'file to write, which must not exist; default: standard output')
      .action(async (options: AnchorFlags) => finish(await runAnchor(options, ctx)));
  }
  return true;
}

interface VerifyFlags extends GlobalOptions {
  readonly anchor?: string;
}

interface AnchorFlags extends GlobalOptions {
  readonly output?: string;
}

interface Report {
  readonly ok: boolean;
  readonly rows: number;
  readonly problems: readonly { readonly seq?: number; readonly problem: string }[];
  readonly problems_total: number;
  readonly anchor_signature: string;
}

const SIGNATURES: Readonly<Record<string, string>> = {
  absent: 'the anchor is not signed',
  key_unknown: 'the key that signed the anchor is not known any more: its signature was not checked',
};

async function runVerify(flags: VerifyFlags, ctx: CliContext): Promise<number> {
  const anchor = flags.anchor === undefined ? {} : { anchor: await readText(asFile(flags.anchor), ctx.io) };
  const client = await openClient(ctx, configFor(ctx, flags));
  let bar: ReturnType<typeof progressBar> | undefined;
  try {
    const answer = await client.call('verify_audit_log', anchor, {
      signal: ctx.io.signal,
      onProgress({ done, total = 0 }) {
        bar ??= progressBar(ctx.io.stderr, 'verifying', total);
        bar.update(done, `${done} of ${total}`);
      },
    });
    bar?.stop();
    const report = answer as unknown as Report;
    ctx.io.stdout.write(flags.json ? `${toJsonText(answer, 2)}\n` : textOf(report, ctx, flags));
    return report.ok ? EXIT.ok : EXIT.failure;
  } finally {
    bar?.stop();
    await client.close();
  }
}

function textOf(
  { ok, rows, problems, problems_total, anchor_signature }: Report,
  ctx: CliContext,
  flags: GlobalOptions,
) {
  const style = stdoutStyle(ctx, flags);
  const note = SIGNATURES[anchor_signature];
  const lines = [
    ok
      ? style.green(`${rows} rows, all in order`)
      : style.red(`the audit log is broken: ${problems_total} problems in ${rows} rows`),
    ...problems.map(({ seq, problem }) => shown(seq === undefined ? problem : `row ${seq}: ${problem}`)),
    ...(note === undefined ? [] : [note]),
  ];
  return `${lines.join('\n')}\n`;
}

async function runAnchor(flags: AnchorFlags, ctx: CliContext): Promise<number> {
  const client = await openClient(ctx, configFor(ctx, flags));
  try {
    const { store_id, seq, hash, at, signature } = await client.call('anchor_audit_log', {}, { signal: ctx.io.signal });
    const text = `${toJsonText({ store_id, seq, hash, at, signature }, 2)}\n`;
    // An earlier anchor is worth as much as a newer one: it is never written over.
    if (flags.output === undefined) ctx.io.stdout.write(text);
    else await writeNew(resolve(ctx.io.cwd, flags.output), text);
    if (signature === null) ctx.io.stderr.write('the anchor is not signed: the hub has no signing key at hand\n');
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    throw failure(
      'invalid_input',
      `${path} cannot be written: ${cause.code}.`,
      'Name a file that does not exist yet.',
      {
        cause,
      },
    );
  }
}

/** The option names a file; `-` is standard input, as everywhere. */
function asFile(path: string): string {
  return path === '-' || path.startsWith('@') ? path : `@${path}`;
}
