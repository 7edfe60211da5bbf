// Options every command understands, and the configuration that follows from them.
import type { Command } from 'commander';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import type { CliContext } from './contract.ts';
import { installRootOf } from './install-root.ts';
import { type Style, styleFor } from './style.ts';

export interface GlobalOptions {
  readonly json?: boolean;
  readonly color?: boolean;
  readonly dataDir?: string;
  readonly config?: string;
}

/** Adds them to a command, in a help group of their own. */
export function addGlobalOptions(command: Command): Command {
  return command
    .optionsGroup('Everywhere:')
    .option('--json', 'print the exact structured answer')
    .option('--no-color', 'print without colours (as NO_COLOR does)')
    .option('--data-dir <directory>', 'directory of the store (HAIVEMIND_DATA_DIR)')
    .option('--config <file>', 'configuration file (HAIVEMIND_CONFIG)')
    .helpOption('-h, --help', 'show this help');
}

/** Options win over the environment, which wins over the file. Throws `config_invalid`. */
export function configFor(ctx: CliContext, options: GlobalOptions): LoadedConfig {
  const given: Record<string, string> = {};
  if (options.dataDir) given.HAIVEMIND_DATA_DIR = options.dataDir;
  if (options.config) given.HAIVEMIND_CONFIG = options.config;
  return loadConfig({ ...ctx.io.env, ...given }, installRootOf(ctx));
}

export function stdoutStyle(ctx: CliContext, options: GlobalOptions): Style {
  return styleFor(ctx.io.stdout, ctx.io.env, options.color !== false);
}
