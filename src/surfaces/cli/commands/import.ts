// `haivemind import`: files, directories or standard input into the store, with progress and every problem named.
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, extname, join, relative, resolve } from 'node:path';
import { failure } from '../../../kernel/errors.ts';
import type { ImportOptions, TransferEvent } from '../../runtime.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions, stdoutStyle } from '../globals.ts';
import { openClient } from '../open-client.ts';
import { type Bar, progressBar } from '../progress.ts';
import { toJsonText } from '../render.ts';
import { shown } from '../shown.ts';

interface ImportFlags extends GlobalOptions {
  readonly format?: string;
  readonly project?: string;
  readonly tags?: readonly string[];
  readonly scope?: 'solo' | 'team' | 'shared';
  readonly team?: string;
}

interface Source {
  readonly name: string;
  readonly bytes: number | undefined;
  open(): AsyncIterable<Uint8Array>;
}

type Done = Extract<TransferEvent, { type: 'done' }>;

/** What a directory is searched for; a file named on the command line may be anything. */
const IMPORTABLE = new Set(['.jsonl', '.ndjson', '.json', '.md', '.markdown', '.txt', '.zip']);

export async function runImport(words: readonly string[], flags: ImportFlags, ctx: CliContext): Promise<number> {
  const sources = (await Promise.all(words.map((word) => sourcesOf(word, ctx)))).flat();
  const client = await openClient(ctx, configFor(ctx, flags));
  const total_bytes = sources.every((source) => source.bytes !== undefined)
    ? sources.reduce((sum, source) => sum + (source.bytes ?? 0), 0)
    : undefined;
  const bar = progressBar(flags.json ? undefined : ctx.io.stderr, 'importing', total_bytes);
  const totals = {
    files: 0,
    stored: 0,
    updated: 0,
    skipped: 0,
    problems: 0,
    conversations: 0,
    redacted: 0,
    redacted_kinds: new Set<string>(),
    formats: new Set<string>(),
  };
  let before_bytes = 0;
  try {
    for (const source of sources) {
      const events = client.importFrom(source.open(), optionsFor(source, flags, ctx));
      const done = await follow(events, source, { ctx, bar, json: flags.json === true, before_bytes });
      before_bytes += source.bytes ?? 0;
      totals.files++;
      totals.stored += done.stored;
      totals.updated += done.updated;
      totals.skipped += done.skipped;
      totals.problems += done.problems;
      totals.conversations += done.conversations;
      totals.redacted += done.redacted;
      for (const kind of done.redacted_kinds) totals.redacted_kinds.add(kind);
      totals.formats.add(done.format);
    }
    await client
      .settle((left) => bar.update(total_bytes ?? before_bytes, `${left} vectors to make`), ctx.io.signal)
      .catch((error: unknown) => {
        // Interrupted while waiting: everything is stored, and the next process makes the vectors that are missing.
        if (!ctx.io.signal.aborted) throw error;
      });
  } finally {
    bar.stop();
    await client.close();
  }
  const redacted_kinds = [...totals.redacted_kinds].sort();
  const summary = { type: 'summary', ...totals, redacted_kinds, formats: [...totals.formats] };
  ctx.io.stdout.write(flags.json ? `${toJsonText(summary)}\n` : summaryLine(totals, stdoutStyle(ctx, flags)));
  if (ctx.io.signal.aborted) return EXIT.interrupted;
  // Skipped lines are named above; a source of which nothing could be used is a failure.
  return totals.problems > 0 && totals.stored + totals.updated + totals.skipped === 0 ? EXIT.failure : EXIT.ok;
}

function optionsFor(source: Source, flags: ImportFlags, ctx: CliContext): ImportOptions {
  return {
    file_name: source.name,
    signal: ctx.io.signal,
    ...(flags.format === undefined ? {} : { format: flags.format }),
    ...(flags.project === undefined ? {} : { project: flags.project }),
    ...(flags.scope === undefined ? {} : { scope: flags.scope }),
    ...(flags.team === undefined ? {} : { team_id: flags.team }),
    ...(flags.tags === undefined ? {} : { tags: flags.tags.map((tag) => tag.trim()).filter((tag) => tag !== '') }),
  };
}

interface Watch {
  readonly ctx: CliContext;
  readonly bar: Bar;
  readonly json: boolean;
  readonly before_bytes: number;
}

async function follow(events: AsyncIterable<TransferEvent>, source: Source, watch: Watch): Promise<Done> {
  const { ctx, bar, json, before_bytes } = watch;
  let done: Done | undefined;
  for await (const event of events) {
    if (json) ctx.io.stdout.write(`${toJsonText({ ...event, file: source.name })}\n`);
    if (event.type === 'progress') bar.update(before_bytes + event.read_bytes, `${event.stored} stored`);
    else if (event.type === 'problem' && !json) bar.print(problemLine(event, source));
    else if (event.type === 'done') done = event;
  }
  if (done) return done;
  throw failure(
    'unavailable',
    `The import of ${source.name} ended early.`,
    'Run it again: what is stored already is skipped.',
  );
}

function problemLine(event: Extract<TransferEvent, { type: 'problem' }>, source: Source): string {
  const place = [event.path ?? source.name, event.line].filter((part) => part !== undefined).join(':');
  return `${shown(place)}: ${shown(event.message)} (${event.code})\n`;
}

function summaryLine(
  totals: {
    readonly files: number;
    readonly stored: number;
    readonly updated: number;
    readonly skipped: number;
    readonly problems: number;
    readonly redacted: number;
    readonly redacted_kinds: ReadonlySet<string>;
  },
  style: ReturnType<typeof stdoutStyle>,
): string {
  const files = totals.files === 1 ? '1 file' : `${totals.files} files`;
  const problems = totals.problems > 0 ? style.yellow(`${totals.problems} problems`) : '0 problems';
  const renewed = totals.updated > 0 ? `${totals.updated} renewed, ` : '';
  const counts = `${style.green(`${totals.stored} stored`)}, ${renewed}${totals.skipped} already there or skipped, ${problems}, ${files}\n`;
  return `${counts}${secretsLine(totals, style)}`;
}

/** Nothing where no secret was found. */
function secretsLine(
  { redacted, redacted_kinds }: { readonly redacted: number; readonly redacted_kinds: ReadonlySet<string> },
  style: ReturnType<typeof stdoutStyle>,
): string {
  if (redacted === 0) return '';
  const found = style.yellow(redacted === 1 ? '1 secret' : `${redacted} secrets`);
  const kinds = [...redacted_kinds].sort().join(', ');
  return `${found} replaced by markers (${kinds}): keep each with \`haivemind vault store\` (store_in_vault), then write its vault/key in the memory\n`;
}

async function sourcesOf(word: string, ctx: CliContext): Promise<Source[]> {
  if (word === '-') return [{ name: 'stdin', bytes: undefined, open: () => ctx.io.stdin }];
  const path = resolve(ctx.io.cwd, word);
  const found = await stat(path).catch((cause: unknown) => {
    throw failure('not_found', `${path} cannot be read.`, 'Check the path and its permissions.', { cause });
  });
  if (!found.isDirectory()) return [fileSource(path, basename(path), found.size)];
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  const files = names
    .filter((entry) => entry.isFile() && IMPORTABLE.has(extname(entry.name).toLowerCase()))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (file) =>
        !relative(path, file)
          .split(/[/\\]/)
          .some((part) => part.startsWith('.')),
    )
    .sort();
  if (files.length > 0) {
    return Promise.all(files.map(async (file) => fileSource(file, relative(path, file), (await stat(file)).size)));
  }
  const wanted = [...IMPORTABLE].join(', ');
  throw failure('not_found', `${path} holds nothing to import.`, `Files that end in ${wanted} are looked for.`);
}

function fileSource(path: string, name: string, bytes: number): Source {
  return { name, bytes, open: () => createReadStream(path) };
}
