// `haivemind export`: memories as text, to a file that appears only when it is complete, or to standard output.
import { resolve } from 'node:path';
import type { ExportOptions } from '../../runtime.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions } from '../globals.ts';
import { openClient } from '../open-client.ts';
import { toJsonText } from '../render.ts';
import { writeWhole } from './write-whole.ts';

interface ExportFlags extends GlobalOptions {
  readonly format?: 'jsonl' | 'markdown';
  readonly output?: string;
  readonly project?: string;
  readonly category?: string;
  readonly includeDeleted?: boolean;
}

export async function runExport(flags: ExportFlags, ctx: CliContext): Promise<number> {
  const client = await openClient(ctx, configFor(ctx, flags));
  try {
    const pieces = client.exportTo(optionsOf(flags, ctx));
    if (flags.output === undefined || flags.output === '-') {
      for await (const piece of pieces) ctx.io.stdout.write(piece);
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

function optionsOf(flags: ExportFlags, ctx: CliContext): ExportOptions {
  return {
    format: flags.format ?? 'jsonl',
    signal: ctx.io.signal,
    ...(flags.project === undefined ? {} : { project: flags.project }),
    ...(flags.category === undefined ? {} : { category: flags.category }),
    ...(flags.includeDeleted === undefined ? {} : { include_deleted: flags.includeDeleted }),
  };
}
