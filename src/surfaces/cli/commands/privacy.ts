// `haivemind privacy export`: everything stored of a user as one document, to a file or to standard output.
import { resolve } from 'node:path';
import { personalData } from '../../personal-data.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions } from '../globals.ts';
import { openClient } from '../open-client.ts';
import { toJsonText } from '../render.ts';
import { writeWhole } from './write-whole.ts';

interface PrivacyExportFlags extends GlobalOptions {
  readonly format?: string;
  readonly output?: string;
}

export async function runPrivacyExport(
  words: readonly string[],
  flags: PrivacyExportFlags,
  ctx: CliContext,
): Promise<number> {
  const client = await openClient(ctx, configFor(ctx, flags));
  try {
    const { signal } = ctx.io;
    const request = { user_id: words[0] ?? '', format: flags.format ?? 'json' };
    const pieces = personalData((name, input) => client.call(name, input, { signal }), request);
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
