// The tree of commands: the operations' groups and verbs, and the commands of the program itself.
import { Command, CommanderError } from 'commander';
import { failure } from '../../kernel/errors.ts';
import { GLOBAL_VALUE_FLAGS } from './arguments.ts';
import { addAuditCommand } from './commands/audit.ts';
import { ownCommands, ownVerbs } from './commands/index.ts';
import { projectFiles } from './commands/project-files.ts';
import type { CliContext, Finish, OperationShape } from './contract.ts';
import { EXIT } from './exit-codes.ts';
import { addGlobalOptions } from './globals.ts';
import { defineOperationCommand, operationArguments } from './operation-command.ts';
import { secretAsText } from './secret-input.ts';
import { styleFor } from './style.ts';

/** Parses and runs one command line; returns the exit code. Rejects with the command's error. */
export async function runProgram(args: readonly string[], ctx: CliContext): Promise<number> {
  const shapes = await ctx.loadOperations();
  let code: number = EXIT.ok;
  const program = buildProgram(ctx, shapes, (exit_code) => {
    code = exit_code;
  });
  const found = findCommand(program, args);
  try {
    if (found.command === program || found.command.commands.length > 0) {
      // Asked for the help of a command there is not, commander would give that of the program, as if all were well.
      const known = found.unknown === undefined || found.unknown === 'help';
      await program.parseAsync(known ? args : withoutHelp(args), { from: 'user' });
    } else {
      // The leaf parses its own words: commander would lose a `--` on the way down through its parents.
      const shape = found.shape;
      const words = shape ? operationArguments(shape, found.words) : found.words;
      await found.command.parseAsync(words, { from: 'user' });
    }
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help that was asked for is no failure; help in place of a missing command is.
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code === 'commander.help') return EXIT.usage;
    throw usageError(error, found);
  }
}

const shapeOf = new WeakMap<Command, OperationShape>();

/** All commands, for running, completion and documentation. */
export function buildProgram(ctx: CliContext, shapes: readonly OperationShape[], finish: Finish): Command {
  const program = new Command('haivemind')
    .description('Memory and coordination for AI agents that run infrastructure.')
    .version(ctx.version, '-V, --version', 'print the version')
    .exitOverride()
    .showHelpAfterError(false)
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .configureOutput({
      writeOut: (text) => ctx.io.stdout.write(text),
      writeErr: (text) => ctx.io.stderr.write(text),
      // Errors are printed by report-error.ts, all in one form.
      outputError: () => {},
      getOutHelpWidth: () => ctx.io.stdout.columns,
    })
    .configureHelp({ styleTitle: (text) => styleFor(ctx.io.stdout, ctx.io.env).bold(text), showGlobalOptions: false });
  program.commandsGroup('Memories, most used:');
  for (const shape of shapes) if (shape.cli.alias) addOperation(program, shape.cli.alias, shape, ctx, finish);
  ownCommands(program, ctx, shapes, finish);
  program.commandsGroup('Every operation:');
  const groups = new Map<string, Command>();
  for (const [group, members] of byGroup(shapes)) {
    const parent = program.command(group);
    for (const shape of members)
      if (!addAuditCommand(parent, shape, ctx, finish)) addOperation(parent, shape.cli.verb, shape, ctx, finish);
    groups.set(group, parent);
  }
  ownVerbs(groups, ctx, finish);
  for (const parent of groups.values()) parent.summary(parent.commands.map((verb) => verb.name()).join(', '));
  for (const leaf of leavesOf(program)) addGlobalOptions(leaf);
  return program;
}

function leavesOf(command: Command): readonly Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leavesOf);
}

function addOperation(parent: Command, name: string, shape: OperationShape, ctx: CliContext, finish: Finish): void {
  const command = defineOperationCommand(parent.command(name), shape, ctx, finish, (own) =>
    projectFiles(shape.name, own, ctx),
  );
  shapeOf.set(command, shape);
}

function byGroup(shapes: readonly OperationShape[]): Map<string, OperationShape[]> {
  return Map.groupBy(shapes, (shape) => shape.cli.group);
}

interface Found {
  readonly command: Command;
  readonly shape: OperationShape | undefined;
  /** The command line without the command's own name. */
  readonly words: readonly string[];
  /** The word in the place of a command that names none. */
  readonly unknown?: string;
}

/** Walks down the tree by the first words that name commands, passing over options on the way. */
function findCommand(program: Command, args: readonly string[]): Found {
  let command = program;
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? '';
    if (command.commands.length === 0 || word === '--') {
      rest.push(...args.slice(i));
      break;
    }
    const next = word.startsWith('-') ? undefined : command.commands.find((child) => child.name() === word);
    if (next) command = next;
    else {
      rest.push(word);
      if (word.startsWith('--') && GLOBAL_VALUE_FLAGS.has(word.slice(2))) rest.push(args[++i] ?? '');
      else if (!word.startsWith('-')) return { command, shape: undefined, words: rest, unknown: word };
    }
  }
  return { command, shape: shapeOf.get(command), words: rest };
}

function withoutHelp(args: readonly string[]): string[] {
  return args.filter((word) => word !== '--help' && word !== '-h');
}

function usageError(error: CommanderError, { command, shape }: Found): Error {
  // The words too many may be the secret itself.
  if (shape?.cli.secret !== undefined && error.code === 'commander.excessArguments')
    return secretAsText(shape.cli.secret.replaceAll('_', '-'), 'Too many words.');
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const name = [...ancestors(command)].join(' ');
  const hint = suggestion ? suggestion.replace(/^\(|\)$/g, '') : `See ${name} --help.`;
  return failure('invalid_input', `${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.$/, '')}.`, hint);
}

function ancestors(command: Command): string[] {
  return command.parent ? [...ancestors(command.parent), command.name()] : [command.name()];
}
