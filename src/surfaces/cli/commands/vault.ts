// `haivemind vault exec`: secrets in the environment of one process, without anybody reading them; and the way to a vault
// by its name, which the commands beside it share.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { LoadedConfig } from '../../../config/load.ts';
import { failure } from '../../../kernel/errors.ts';
import type { OperationClient } from '../client.ts';
import type { CliContext } from '../contract.ts';
import { EXIT } from '../exit-codes.ts';
import { configFor, type GlobalOptions } from '../globals.ts';
import { openClient, quiet } from '../open-client.ts';
import { refuseRemoteHub } from '../remote-hub.ts';
import { toJsonText } from '../render.ts';
import { shown } from '../shown.ts';

/** Holds the passphrase of an exported vault where no file is named. */
export const PASSPHRASE_VARIABLE = 'HAIVEMIND_VAULT_PASSPHRASE';

export interface VaultEntry {
  readonly vault_id: string;
  readonly name: string;
  readonly vault_type: string;
  readonly owner: string;
}

export interface SecretEntry {
  readonly key: string;
  readonly version: number;
  readonly expired: boolean;
  readonly rotation_interval_days: number | null;
  readonly expires_at: string | null;
}

interface ExecFlags extends GlobalOptions {
  /** `NAME=key`, as often as wanted. */
  readonly env?: readonly string[];
  readonly reason?: string;
}

/** Every vault the caller may use: whoever shares many must not push another of the same name off the page. */
export async function vaultsOf(client: OperationClient, signal: AbortSignal): Promise<readonly VaultEntry[]> {
  const vaults: VaultEntry[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const input = cursor === undefined ? {} : { cursor };
    const page = (await client.call('list_vaults', input, { signal })) as unknown as {
      readonly vaults: VaultEntry[];
      readonly next_cursor: string | null;
    };
    vaults.push(...page.vaults);
    cursor = page.next_cursor;
  }
  return vaults;
}

/** The vault with this id, or the only one with this name. Rejects with `not_found`, or `conflict` for several. */
export async function findVault(client: OperationClient, wanted: string, signal: AbortSignal): Promise<VaultEntry> {
  const vaults = await vaultsOf(client, signal);
  const found = vaults.filter((vault) => vault.vault_id === wanted);
  const named = found.length > 0 ? found : vaults.filter((vault) => vault.name === wanted);
  const [vault, other] = named;
  if (!vault) throw failure('not_found', `There is no vault ${JSON.stringify(wanted)}.`, 'See `haivemind vault list`.');
  if (other)
    throw failure('conflict', `${named.length} vaults are called ${JSON.stringify(wanted)}.`, 'Give the vault_id.');
  return vault;
}

/** Every living secret of a vault, without values. */
export async function* secretsOf(
  client: OperationClient,
  vault_id: string,
  signal: AbortSignal,
): AsyncIterable<SecretEntry> {
  let cursor: string | null = null;
  do {
    const input = { vault_id, limit: 200, ...(cursor === null ? {} : { cursor }) };
    const page = (await client.call('list_vault_secrets', input, { signal })) as unknown as {
      readonly secrets: SecretEntry[];
      readonly next_cursor: string | null;
    };
    yield* page.secrets;
    cursor = page.next_cursor;
  } while (cursor !== null);
}

/** `words`: the vault, then the command and its arguments. Returns the command's exit code, 128 + n for signal n. */
export async function runVaultExec(words: readonly string[], flags: ExecFlags, ctx: CliContext): Promise<number> {
  const [wanted = '', command, ...args] = words;
  if (command === undefined)
    throw failure('invalid_input', 'There is no command to run.', 'haivemind vault exec VAULT -- command arguments');
  const config = configFor(ctx, flags);
  const secrets = await environmentFrom(wanted, command, config, flags, ctx);
  const env = withoutOurs(ctx.io.env, config.security.keyring.env);
  return run(command, args, { ...env, ...secrets }, ctx.io.signal);
}

async function environmentFrom(
  wanted: string,
  command: string,
  config: LoadedConfig,
  flags: ExecFlags,
  ctx: CliContext,
): Promise<Record<string, string>> {
  const { signal } = ctx.io;
  const client = await openClient(ctx, config);
  try {
    const { vault_id } = await findVault(client, wanted, signal);
    const names = await namesFor(client, vault_id, flags.env ?? [], ctx);
    const audit_reason = flags.reason ?? `vault exec ${command.slice(0, 200)}`;
    const secrets: Record<string, string> = {};
    for (const [name, key] of names) {
      const input = { vault_id, key, audit_reason };
      const { value } = (await client.call('retrieve_from_vault', input, { signal })) as { value: string };
      if (value.includes('\0'))
        throw failure(
          'invalid_input',
          `The value of ${key} cannot stand in an environment: it has a zero byte.`,
          'Choose the others with --env NAME=key.',
        );
      secrets[name] = value;
    }
    return secrets;
  } finally {
    await client.close();
  }
}

/** Environment names and the keys they stand for. */
async function namesFor(
  client: OperationClient,
  vault_id: string,
  chosen: readonly string[],
  { io }: CliContext,
): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const entry of chosen) {
    const [, name, key] = /^([A-Za-z_][A-Za-z0-9_]*)=(.+)$/.exec(entry) ?? [];
    if (name === undefined || key === undefined)
      throw failure(
        'invalid_input',
        `--env ${JSON.stringify(entry)} is not NAME=key.`,
        'For example --env PGPASSWORD=db_password.',
      );
    names.set(name, key);
  }
  if (chosen.length > 0) return names;
  const left_out: string[] = [];
  for await (const { key, expired } of secretsOf(client, vault_id, io.signal)) {
    if (expired) {
      left_out.push(key);
      continue;
    }
    const name = variableOf(key);
    if (STEERING.test(name))
      throw failure(
        'conflict',
        `${key} would become ${name}, which decides what a command runs: whoever may write to the vault could choose that.`,
        'Choose what the command needs with --env NAME=key.',
      );
    const other = names.get(name);
    if (other !== undefined)
      throw failure('conflict', `${other} and ${key} would both become ${name}.`, 'Choose with --env NAME=key.');
    names.set(name, key);
  }
  if (left_out.length > 0) io.stderr.write(`left out, expired: ${shown(left_out.join(', '))}\n`);
  return names;
}

/** Variables by which shells, loaders, interpreters and usual tools are told what to run; only who runs a command sets them. */
const STEERING =
  /^(PATH|HOME|SHELL|ENV|BASH_.*|IFS|PS4|PROMPT_COMMAND|ZDOTDIR|LD_.*|DYLD_.*|GCONV_PATH|NODE_.*|NPM_CONFIG_.*|PYTHON.*|PERL.*|RUBY.*|GEM_.*|BUNDLE_.*|PHP.*|LUA_.*|JAVA_TOOL_OPTIONS|_?JAVA_OPTIONS|JDK_JAVA_OPTIONS|MAVEN_OPTS|GIT_.*|SSH_ASKPASS.*|EDITOR|VISUAL|PAGER|LESS.*|BROWSER|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_.*|COMSPEC|PATHEXT|PSMODULEPATH|HAIVEMIND_.*)$/;

/** `db-password` becomes `DB_PASSWORD`. */
export function variableOf(key: string): string {
  const name = key.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');
  return /^[0-9]/.test(name) ? `_${name}` : name;
}

/** What opens the hub or its vaults is nothing for the command that runs. */
function withoutOurs(env: CliContext['io']['env'], master: string): Record<string, string | undefined> {
  const ours = ['HAIVEMIND_TOKEN', 'HAIVEMIND_MASTER_KEY', PASSPHRASE_VARIABLE, master, `${master}_NEW`];
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.includes(name)));
}

function run(
  command: string,
  args: readonly string[],
  env: Record<string, string | undefined>,
  signal: AbortSignal,
): Promise<number> {
  const child = spawn(command, args, { env, stdio: 'inherit', shell: false });
  const stop = () => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  return new Promise((resolve, reject) => {
    child.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'ENOENT' ? 'was not found' : `cannot be run (${cause.code ?? 'unknown'})`;
      reject(failure('invalid_input', `The command ${JSON.stringify(command)} ${why}.`, 'Check its name and PATH.'));
    });
    child.once('exit', (code, by) => {
      signal.removeEventListener('abort', stop);
      resolve(code ?? 128 + (by === null ? 0 : constants.signals[by]));
    });
  });
}

interface RotateFlags extends GlobalOptions {
  readonly resume?: boolean;
}

/** In this process, whatever hub runs: the place of the master key is a matter of this machine. */
export async function runRotateMasterKey(flags: RotateFlags, ctx: CliContext): Promise<number> {
  refuseRemoteHub(ctx.io.env);
  const runtime = await ctx.openRuntime(quiet(configFor(ctx, flags), ctx), { role: 'command' });
  try {
    const report = await runtime.rotateMasterKey({ resume: flags.resume ?? false });
    const { master_key_id, vault_keys, signing_keys } = report;
    ctx.io.stdout.write(
      flags.json
        ? `${toJsonText(report)}\n`
        : `master key ${master_key_id}: ${vault_keys} vault keys and ${signing_keys} signing keys wrapped again\n`,
    );
    return EXIT.ok;
  } finally {
    await runtime.close();
  }
}
