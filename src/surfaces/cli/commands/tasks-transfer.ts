// `haivemind tasks import` and `tasks export`: boards from files and to files, however long they are.
import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { splitBoard } from '../../../domains/tasks/index.ts';
import { failure } from '../../../kernel/errors.ts';
import { limits } from '../../../kernel/limits.ts';
import type { OperationClient } from '../client.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions, stdoutStyle } from '../globals.ts';
import { openClient } from '../open-client.ts';
import { progressBar } from '../progress.ts';
import { toJsonText } from '../render.ts';
import { shown } from '../shown.ts';
import { writeWhole } from './write-whole.ts';

interface ImportFlags extends GlobalOptions {
  readonly format?: 'json' | 'beads' | 'github' | 'markdown';
  readonly source?: string;
  readonly project?: string;
  readonly scope?: string;
  readonly team?: string;
}

interface ExportFlags extends GlobalOptions {
  readonly format?: string;
  readonly output?: string;
  readonly project?: string;
}

interface Problem {
  readonly line?: number | undefined;
  readonly item?: string | undefined;
  readonly message: string;
}

interface Report {
  readonly format: string;
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly failed: number;
  readonly problems: readonly Problem[];
}

/** A text of this length, with what JSON puts around it, fits into one call. */
const PART_MAX_CHARS = 500_000;

export async function runTaskImport(words: readonly string[], flags: ImportFlags, ctx: CliContext): Promise<number> {
  const [word = '-'] = words;
  const text = await textOf(word, ctx);
  const name = word === '-' ? undefined : basename(word);
  const markdown = flags.format === 'markdown' || (flags.format === undefined && /\.(md|markdown)$/i.test(word));
  const format: ImportFlags['format'] = markdown ? 'markdown' : flags.format;
  const source = flags.source ?? (markdown ? name : undefined);
  const client = await openClient(ctx, configFor(ctx, flags));
  try {
    const options = { ...(format === undefined ? {} : { format }), ...(source === undefined ? {} : { source }) };
    const report = await importText(client, text, options, flags, ctx);
    print(report, name ?? 'stdin', flags, ctx);
    const done = report.created + report.updated + report.unchanged;
    return done === 0 && report.failed + report.problems.length > 0 ? EXIT.failure : EXIT.ok;
  } finally {
    await client.close();
  }
}

async function textOf(word: string, { io }: CliContext): Promise<string> {
  if (word === '-') {
    const chunks: Uint8Array[] = [];
    for await (const chunk of io.stdin) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  }
  const path = resolve(io.cwd, word);
  const found = await stat(path).catch((cause: unknown) => {
    throw failure('not_found', `${path} cannot be read.`, 'Check the path and its permissions.', { cause });
  });
  if (found.isDirectory())
    throw failure(
      'invalid_input',
      `${path} is a directory.`,
      "Name a file, for example the directory's .beads/issues.jsonl.",
    );
  if (found.size > limits.import_body_max_bytes)
    throw failure('limit_exceeded', `${path} is larger than ${limits.import_body_max_bytes} bytes.`, 'Split it.');
  return readFile(path, 'utf8');
}

type Options = { readonly format?: ImportFlags['format']; readonly source?: string };

/** In one call where the text is short; else in parts that refer to nothing after them. */
async function importText(
  client: OperationClient,
  text: string,
  options: Options,
  flags: ImportFlags,
  ctx: CliContext,
): Promise<Report> {
  const { signal } = ctx.io;
  const place = {
    ...(flags.project === undefined ? {} : { project_id: flags.project }),
    ...(flags.scope === undefined ? {} : { scope: flags.scope }),
    ...(flags.team === undefined ? {} : { team_id: flags.team }),
  };
  const send = async (input: object): Promise<Report> =>
    (await client.call('import_tasks', { ...input, ...place }, { signal })) as unknown as Report;
  if (text.length <= PART_MAX_CHARS) return send({ content: text, ...options });
  const split = splitBoard(text, options, PART_MAX_CHARS);
  let sum: Report = {
    ...{ format: split.format, skipped: split.skipped, problems: split.problems },
    ...{ created: 0, updated: 0, unchanged: 0, failed: 0 },
  };
  const bar = progressBar(flags.json ? undefined : ctx.io.stderr, 'importing', split.parts.length);
  try {
    for (const [i, content] of split.parts.entries()) {
      bar.update(i, `${sum.created} created`);
      const part = await send({ content, format: 'json' });
      sum = {
        ...sum,
        created: sum.created + part.created,
        updated: sum.updated + part.updated,
        unchanged: sum.unchanged + part.unchanged,
        failed: sum.failed + part.failed,
        // Lines are those of the part.
        problems: [...sum.problems, ...part.problems.map(({ item, message }) => ({ item, message }))],
      };
    }
  } finally {
    bar.stop();
  }
  return sum;
}

function print(report: Report, name: string, flags: ImportFlags, ctx: CliContext): void {
  const { io } = ctx;
  if (flags.json) {
    io.stdout.write(`${toJsonText(report, 2)}\n`);
    return;
  }
  for (const { line, item, message } of report.problems) {
    const place = [line === undefined ? name : `${name}:${line}`, item].filter((part) => part !== undefined).join(': ');
    io.stderr.write(`${shown(place)}: ${shown(message)}\n`);
  }
  const style = stdoutStyle(ctx, flags);
  const { created, updated, unchanged, skipped, failed, problems, format } = report;
  const told = problems.length > 0 ? style.yellow(`${problems.length} problems`) : '0 problems';
  const counts = `${style.green(`${created} created`)}, ${updated} updated, ${unchanged} unchanged`;
  io.stdout.write(`${counts}, ${skipped} skipped, ${failed} failed, ${told} (${format})\n`);
}

export async function runTaskExport(flags: ExportFlags, ctx: CliContext): Promise<number> {
  const client = await openClient(ctx, configFor(ctx, flags));
  try {
    const pieces = exported(client, flags, ctx.io.signal);
    if (flags.output === undefined || flags.output === '-') {
      // A file or a pipe gets it as it is; a terminal would obey what is written in it.
      const { stdout } = ctx.io;
      for await (const piece of pieces) stdout.write(stdout.isTTY ? shown(piece) : piece);
      return EXIT.ok;
    }
    const path = resolve(ctx.io.cwd, flags.output);
    const bytes = await writeWhole(path, pieces);
    ctx.io.stdout.write(flags.json ? `${toJsonText({ path, bytes })}\n` : `${path}: ${bytes} bytes\n`);
    return EXIT.ok;
  } finally {
    await client.close();
  }
}

async function* exported(client: OperationClient, flags: ExportFlags, signal: AbortSignal): AsyncIterable<string> {
  const input = {
    format: flags.format ?? 'json',
    ...(flags.project === undefined ? {} : { project_id: flags.project }),
  };
  for (let cursor: string | null = null; ; ) {
    const page = await client.call('export_tasks', { ...input, ...(cursor === null ? {} : { cursor }) }, { signal });
    yield String(page.content);
    if (typeof page.next_cursor !== 'string') return;
    cursor = page.next_cursor;
  }
}
