// `haivemind backup` and `haivemind restore`: the whole store as one file, and back.
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { failure } from '../../../kernel/errors.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions } from '../globals.ts';
import { alreadyRunning, probeHub } from '../hub-file.ts';
import { refuseRemoteHub } from '../remote-hub.ts';
import { toJsonText } from '../render.ts';
import { keepHeapSmall } from '../small-heap.ts';

/** Several processes may use the store at once, so the copy is made here even while a hub runs. */
export async function runBackup(words: readonly string[], flags: GlobalOptions, ctx: CliContext): Promise<number> {
  refuseRemoteHub(ctx.io.env);
  keepHeapSmall();
  const path = resolve(ctx.io.cwd, words[0] ?? '');
  if (await exists(path)) {
    throw failure('conflict', `${path} exists.`, 'Choose a new name: a backup is never written over another file.');
  }
  const runtime = await ctx.openRuntime(configFor(ctx, flags), { role: 'command' });
  try {
    const { bytes, memories, vaults } = await runtime.backup(path);
    ctx.io.stdout.write(
      flags.json
        ? `${toJsonText({ path, bytes, memories, vaults })}\n`
        : `${path}: ${memories} memories, ${bytes} bytes\n${vaultsSaid(vaults)}`,
    );
    return EXIT.ok;
  } finally {
    await runtime.close();
  }
}

export async function runRestore(
  words: readonly string[],
  flags: GlobalOptions & { readonly yes?: boolean },
  ctx: CliContext,
): Promise<number> {
  refuseRemoteHub(ctx.io.env);
  keepHeapSmall();
  const path = resolve(ctx.io.cwd, words[0] ?? '');
  const config = configFor(ctx, flags);
  if (!(await exists(path))) throw failure('not_found', `${path} does not exist.`, 'Check the path of the backup.');
  const hub = await probeHub(config.data_dir);
  if (hub.state === 'alive' || hub.state === 'silent') throw alreadyRunning(hub.hub, hub.state);
  // An empty database needs no consent, and only the engine knows whether it is.
  if (!flags.yes && !config.engines.postgres) {
    throw failure(
      'confirmation_required',
      `This replaces the store in ${config.data_dir} by ${path}.`,
      'Add --yes to do it; the present store is kept beside it.',
    );
  }
  const { memories, kept, vaults } = await ctx.restore(config, path, {
    replace: flags.yes === true,
    signal: ctx.io.signal,
  });
  const rest = kept === undefined ? '' : `; the earlier store is ${kept}`;
  ctx.io.stdout.write(
    flags.json
      ? `${toJsonText({ path, memories, kept, vaults })}\n`
      : `${memories} memories restored${rest}\n${vaultsSaid(vaults)}`,
  );
  return EXIT.ok;
}

function vaultsSaid(vaults: number | undefined): string {
  if (vaults === undefined) return '';
  return `${vaults} vaults are in the copy, and the master keys that open them are not: docs/key-ring.md\n`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
