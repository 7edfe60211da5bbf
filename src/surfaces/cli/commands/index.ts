// The program's own commands: their words and options. What they do is loaded when they run.
import { type Command, Option } from 'commander';
import type { CliContext, Finish, OperationShape } from '../contract.ts';
import { addTaskVerbs } from './tasks-verbs.ts';

type Run = (words: readonly string[], options: Record<string, unknown>) => Promise<number>;

/** Adds them to the program. */
export function ownCommands(
  program: Command,
  ctx: CliContext,
  shapes: readonly OperationShape[],
  finish: Finish,
): void {
  const own = (name: string, summary: string, run: Run): Command => {
    const command = program.command(name).summary(summary).description(summary);
    return command.action(async (...all: unknown[]) => {
      const words = all
        .slice(0, -2)
        .flat()
        .filter((word) => word !== undefined);
      finish(await run(words.map(String), command.opts()));
    });
  };
  program.commandsGroup('Servers:');
  addServers(own, ctx);
  program.commandsGroup('Setting up and looking after:');
  addMaintenance(own, ctx, program, shapes);
  program.commandsGroup('Moving memories:');
  addTransfers(own, ctx);
}

/** Adds verbs of the program's own to the groups of operations they belong to. */
export function ownVerbs(groups: ReadonlyMap<string, Command>, ctx: CliContext, finish: Finish): void {
  const vault = groups.get('vault');
  if (vault) addVaultVerbs(vault, ctx, finish);
  const privacy = groups.get('privacy');
  if (privacy) addPrivacyVerbs(privacy, ctx, finish);
  const tasks = groups.get('tasks');
  if (tasks) addTaskVerbs(tasks, ctx, finish);
}

const several = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

function addVaultVerbs(vault: Command, ctx: CliContext, finish: Finish): void {
  const verb = (name: string, summary: string, run: Run): Command => {
    const command = vault.command(name).summary(summary).description(summary);
    return command.action(async () => finish(await run(command.args, command.opts())));
  };
  verb('exec', 'run a command with the secrets of a vault in its environment', async (words, options) => {
    const { runVaultExec } = await import('./vault.ts');
    return runVaultExec(words, options, ctx);
  })
    .argument('<vault>', 'its id or name')
    .argument('<command...>', 'after --: the command and its arguments; no shell is involved')
    .option('--env <NAME=key>', 'only this secret, under this name; may be repeated', several)
    .option('--reason <text>', 'why, for the audit log; default: the name of the command')
    .addHelpText(
      'after',
      '\nEach secret becomes a variable of its key in capitals, other signs as _: db-password is DB_PASSWORD.\nExpired ones are left out, and named on standard error.',
    );
  verb(
    'rotate-master-key',
    'make a new master key and wrap the keys of all vaults with it; hubs may go on running',
    async (_, options) => {
      const { runRotateMasterKey } = await import('./vault.ts');
      return runRotateMasterKey(options, ctx);
    },
  ).option('--resume', 'make no new key: finish what was interrupted');
  verb('export', 'write a vault to a file encrypted with age', async (words, options) => {
    const { runVaultExport } = await import('./vault-files.ts');
    return runVaultExport(words, options as never, ctx);
  })
    .argument('<vault>', 'its id or name')
    .requiredOption('-o, --output <file>', 'file to write; must not exist yet')
    .option('--recipient <age1...>', 'public key that may open it; may be repeated', several)
    .option('--passphrase-file <file>', 'passphrase in place of a recipient (HAIVEMIND_VAULT_PASSPHRASE)')
    .option('--reason <text>', 'why, for the audit log');
  verb('import', 'read a vault from such a file; doing it again adds nothing', async (words, options) => {
    const { runVaultImport } = await import('./vault-files.ts');
    return runVaultImport(words, options, ctx);
  })
    .argument('<file>', 'made by vault export')
    .option(
      '--into <vault>',
      'vault that takes the secrets; default: your personal one of the same name, made where there is none or several',
    )
    .option('--identity <file>', 'file with the private key, as age-keygen makes it')
    .option('--passphrase-file <file>', 'passphrase (HAIVEMIND_VAULT_PASSPHRASE)');
}

function addPrivacyVerbs(privacy: Command, ctx: CliContext, finish: Finish): void {
  const summary = 'write everything stored of a user as one document';
  const command = privacy.command('export').summary(summary).description(summary);
  command
    .argument('<user>', 'yourself, or anybody as administrator')
    .addOption(new Option('--format <name>', 'form of it').choices(['json', 'csv', 'markdown']).default('json'))
    .option('-o, --output <file>', 'file to write; default: standard output')
    .action(async () => {
      const { runPrivacyExport } = await import('./privacy.ts');
      finish(await runPrivacyExport(command.args, command.opts(), ctx));
    });
}

type Own = (name: string, summary: string, run: Run) => Command;

function addServers(own: Own, ctx: CliContext): void {
  own('mcp', 'serve MCP over stdin and stdout; uses the hub of this machine where one runs', async (words) => {
    const { runMcp } = await import('./mcp.ts');
    return runMcp(words, ctx);
  })
    .option('--toolsets <list>', 'list only these toolsets')
    .option('--no-hub', 'open the store in this process even where a hub runs');
  for (const [name, summary] of Object.entries(SERVERS)) {
    const command = own(name, summary, async (_, options) => {
      const { runServer } = await import('./serve.ts');
      return runServer(name as keyof typeof SERVERS, options, ctx);
    });
    command
      .option('--host <address>', 'address to listen on (HAIVEMIND_HOST)')
      .option('--port <number>', 'port of the hub; 0 picks a free one (HAIVEMIND_PORT)')
      .option('--sync-port <number>', 'port of the synchronisation service (HAIVEMIND_SYNC_PORT)');
    if (name === 'up') {
      command.option('--welcome', 'store and find a first memory, then print how to connect; a hub that runs is used');
    }
  }
}

const SERVERS = {
  up: 'run the hub and the synchronisation service in one process',
  serve: 'run the hub: MCP over HTTP, REST, /health and /metrics',
  sync: 'run the synchronisation service',
} as const;

function addMaintenance(own: Own, ctx: CliContext, program: Command, shapes: readonly OperationShape[]): void {
  own('init', 'write a configuration file, or print how to connect a client', async (_, options) => {
    const { runInit } = await import('./init.ts');
    return runInit(options, ctx);
  })
    .option('--client <name>', 'print the lines for claude, claude-desktop, cursor, vscode, codex, gemini or http')
    .option('--path <file>', 'where the configuration goes; default: config.json in the data directory')
    .option('--force', 'replace a file that exists');
  own('doctor', 'check everything that goes wrong in practice and say the fix', async (_, options) => {
    const { runDoctor } = await import('./doctor.ts');
    return runDoctor(options, ctx);
  }).option('--fix', 'mend what can be mended without a decision: an index of vectors that has drifted');
  own(
    'reindex',
    'bring vectors and the index that holds them to the memories, while hubs serve',
    async (_, options) => {
      const { runReindex } = await import('./reindex.ts');
      return runReindex(options, ctx);
    },
  )
    .option('--embed', 'make all vectors again, not only those that are missing')
    .option('--full', 'empty the index of Chroma or pgvector first, and fill it again');
  own('backup', 'write a consistent copy of the whole store while it is in use', async (words, options) => {
    const { runBackup } = await import('./store.ts');
    return runBackup(words, options, ctx);
  }).argument('<file>', 'where the copy goes; must not exist yet');
  own('restore', 'replace the store by a copy made with backup', async (words, options) => {
    const { runRestore } = await import('./store.ts');
    return runRestore(words, options, ctx);
  })
    .argument('<file>', 'a copy made with backup')
    .option('--yes', 'do it without asking; the present store is kept beside it');
  own('completion', 'print a completion script for a shell', async (words, options) => {
    const { runCompletion } = await import('./completion.ts');
    return runCompletion(words, options, program, ctx);
  }).argument('<shell>', 'bash, zsh or fish');
  own('version', 'print the version', async (_, options) => {
    ctx.io.stdout.write(
      options.json ? `${JSON.stringify({ version: ctx.version, operations: shapes.length })}\n` : `${ctx.version}\n`,
    );
    return 0;
  });
}

function addTransfers(own: Own, ctx: CliContext): void {
  const scope = new Option('--scope <scope>', 'who may see the memories').choices(['solo', 'team', 'shared']);
  own(
    'import',
    'load memories and conversations from files; running it again adds nothing twice',
    async (words, options) => {
      const { runImport } = await import('./import.ts');
      return runImport(words, options, ctx);
    },
  )
    .argument('<source...>', 'files, directories, or - for standard input')
    .option('--format <name>', 'format of the files; default: recognised by their content')
    .option('--project <name>', 'project of the memories')
    .option('--tags <list>', 'tags added to every memory', (text: string, before: string[] = []) => [
      ...before,
      ...text.split(','),
    ])
    .addOption(scope)
    .option('--team <team_id>', 'team that gets the memories; implies --scope team');
  own('export', 'write memories as JSON Lines or Markdown', async (_, options) => {
    const { runExport } = await import('./export.ts');
    return runExport(options, ctx);
  })
    .addOption(new Option('--format <name>', 'format of the output').choices(['jsonl', 'markdown']).default('jsonl'))
    .option('-o, --output <file>', 'file to write; default: standard output')
    .option('--project <name>', 'only this project')
    .option('--category <name>', 'only this category')
    .option('--include-deleted', 'deleted memories as well');
  own(
    'migrate-store',
    'move the whole store from SQLite to PostgreSQL or back; goes on where it was',
    async (_, options) => {
      const { runMigrateStore } = await import('./migrate-store.ts');
      return runMigrateStore(options, ctx);
    },
  )
    .requiredOption('--from <place>', 'sqlite:<file or data directory> or postgres://user@host:5432/database')
    .requiredOption('--to <place>', 'the same; has to be empty')
    .option('--dry-run', 'say what would be moved and change nothing')
    .option('--restart', 'throw away what an interrupted run left at the target')
    .option('--online', 'move a data directory while its hub runs; what it gets meanwhile is carried afterwards');
}
