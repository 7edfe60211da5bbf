// Chooses what to load: the stdio server and what is called most start without the command parser, everything else goes
// through it.
import type { CliContext } from './contract.ts';
import { reportError } from './report-error.ts';

/** Runs one command line and returns the exit code; never rejects. */
export async function runCli(args: readonly string[], ctx: CliContext): Promise<number> {
  try {
    const onlyMcp = args[0] === 'mcp' && !args.some((word) => word === '--help' || word === '-h');
    if (onlyMcp) {
      const { runMcp } = await import('./commands/mcp.ts');
      return await runMcp(args.slice(1), ctx);
    }
    if (args[0] === 'tasks') {
      const { runQuickly } = await import('./commands/tasks-quick.ts');
      const code = await runQuickly(args.slice(1), ctx);
      if (code !== undefined) return code;
    }
    const { runProgram } = await import('./program.ts');
    return await runProgram(args, ctx);
  } catch (error) {
    return reportError(error, ctx.io, wantsJson(args));
  }
}

function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? undefined : end).includes('--json');
}
