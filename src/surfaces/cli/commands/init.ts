// `haivemind init`: a configuration file to start from, and the lines that connect a client.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { configSchema } from '../../../config/schema.ts';
import { failure } from '../../../kernel/errors.ts';
import { clientSnippet } from '../connect.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions } from '../globals.ts';
import { probeHub } from '../hub-file.ts';
import { reachOf } from '../reach.ts';
import { isLoopbackHost, remoteHubUrl } from '../remote-hub.ts';
import { toJsonText } from '../render.ts';
import { installationOf, reachOfHub } from '../welcome.ts';

interface InitFlags extends GlobalOptions {
  readonly client?: string;
  readonly path?: string;
  readonly force?: boolean;
}

export async function runInit(flags: InitFlags, ctx: CliContext): Promise<number> {
  const config = configFor(ctx, flags);
  const remote = remoteHubUrl(ctx.io.env);
  const found = flags.client === undefined || remote !== undefined ? undefined : await probeHub(config.data_dir);
  const reach = found?.state === 'alive' ? reachOfHub(found.hub, config) : reachOf(config.server, config.security);
  const local = installationOf(reach, config, ctx);
  const installation =
    remote === undefined
      ? local
      : { ...local, url: remote, token: false, remote: !isLoopbackHost(new URL(remote).hostname) };
  if (flags.client !== undefined) {
    ctx.io.stdout.write(clientSnippet(flags.client, installation));
    return EXIT.ok;
  }
  const path = resolve(ctx.io.cwd, flags.path ?? join(config.data_dir, 'config.json'));
  await writeNew(path, `${JSON.stringify(configSchema.parse({}), null, 2)}\n`, flags.force === true);
  if (flags.json) {
    ctx.io.stdout.write(`${toJsonText({ path, data_dir: config.data_dir })}\n`);
    return EXIT.ok;
  }
  ctx.io.stdout.write(
    `Wrote ${path} with every setting at its default.\n\nNext:\n  haivemind up                     run the hub\n  haivemind init --client claude   connect a client (claude-desktop, cursor, vscode, codex, gemini, http)\n  haivemind doctor                 check the installation\n`,
  );
  return EXIT.ok;
}

async function writeNew(path: string, text: string, replace: boolean): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, text, { flag: replace ? 'w' : 'wx', mode: 0o600 });
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      throw failure('confirmation_required', `${path} exists.`, 'Edit it, or replace it with --force.', { cause });
    }
    const why = cause instanceof Error ? cause.message : 'unknown reason';
    throw failure('unavailable', `${path} cannot be written: ${why}`, 'Choose another place with --path.', { cause });
  }
}
