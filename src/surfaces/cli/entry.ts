// One run of the `haivemind` process: signals, broken pipes and the exit code; what the words mean is decided in main.ts.
import { limits } from '../../kernel/limits.ts';
import type { CliIo, CliWiring, OutputStream } from './contract.ts';
import { EXIT } from './exit-codes.ts';
import { version } from './version.ts';

/** A terminal and npm both pass one ctrl-C on; signals this close together count as one. */
const SAME_SIGNAL_MS = 500;

/** Runs the command of process.argv and ends the process. */
export async function runProcess(wiring: CliWiring): Promise<void> {
  const args = process.argv.slice(2);
  endQuietlyOnBrokenPipe();
  if (asksForVersion(args)) {
    process.stdout.write(`${version}\n`);
    return;
  }
  const interrupt = new AbortController();
  const prolong = listenForSignals(interrupt);
  const { runCli } = await import('./main.ts');
  const code = await runCli(args, { ...wiring, io: { ...processIo(interrupt.signal), prolong }, version });
  process.exitCode = code;
  await flushed(process.stdout);
  await flushed(process.stderr);
  process.exit();
}

function asksForVersion(args: readonly string[]): boolean {
  return args.length === 1 && (args[0] === '--version' || args[0] === '-V' || args[0] === 'version');
}

function processIo(signal: AbortSignal): CliIo {
  return {
    env: process.env,
    cwd: process.cwd(),
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    stdin: process.stdin,
    stdinIsTTY: process.stdin.isTTY === true,
    signal,
  };
}

function outputOf(stream: NodeJS.WriteStream): OutputStream {
  return {
    write: (text) => void stream.write(text),
    isTTY: stream.isTTY === true,
    get columns() {
      // A terminal that does not know its width says 0.
      return stream.columns || 80;
    },
  };
}

/** A reader that has seen enough (`| head`) closes the pipe: that is no failure. */
function endQuietlyOnBrokenPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok);
      throw error;
    });
  }
}

/**
 * The first signal asks for a graceful end, a second one or the end of the grace period ends the process. Returns the
 * way to make that period longer.
 */
function listenForSignals(interrupt: AbortController): (more_ms: number) => void {
  let first_ms: number | undefined;
  let grace_ms: number = limits.shutdown_grace_ms;
  const stop = (): void => {
    const now_ms = performance.now();
    if (first_ms === undefined) {
      first_ms = now_ms;
      interrupt.abort();
      setTimeout(() => process.exit(EXIT.interrupted), grace_ms).unref();
    } else if (now_ms - first_ms > SAME_SIGNAL_MS) {
      process.exit(EXIT.interrupted);
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop);
  return (more_ms) => {
    grace_ms += more_ms;
  };
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()));
}
