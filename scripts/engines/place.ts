// The temporary directory of one engine, and a guard that ends the engine and removes the directory when the process
// that started it is gone, however that ended (also by kill -9, which leaves nobody else to clean up).
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface EnginePlace {
  readonly directory: string;
  /** The process to end with this one; undefined while none runs, so that a number the system gave away is not hit. */
  watch(pid: number | undefined): void;
  /** Removes the directory and ends the guard. */
  remove(): Promise<void>;
}

/**
 * Waits for lines on its standard input, a pipe that closes with the process at its other end. It is asked to end
 * nothing but the last process it was told of, first by the signal given, after five seconds by KILL.
 */
const GUARD = `
trap '' INT TERM HUP
pid=
while read -r word value; do
  case "$word" in
    pid) pid=$value ;;
    done) exit 0 ;;
  esac
done
if [ -n "$pid" ]; then
  kill -s "$1" "$pid"
  tries=0
  while kill -0 "$pid" && [ "$tries" -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -s KILL "$pid"
fi
rm -rf "$2"
`;

/** @param signal what ends this engine without delay, without the leading SIG */
export function makePlace(name: string, signal: 'QUIT' | 'KILL'): EnginePlace {
  const directory = mkdtempSync(join(tmpdir(), `haivemind-${name}-`));
  // Of its own session, so that a signal to the whole group of the test run does not take it along.
  const guard = spawn('sh', ['-c', GUARD, 'haivemind-engine-guard', signal, directory], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without a guard the engine still runs; its own stop() remains.
  guard.on('error', () => {});
  guard.stdin.on('error', () => {});
  guard.unref();
  unreferenced(guard.stdin);
  return {
    directory,
    watch: (pid) => void guard.stdin.write(`pid ${pid ?? ''}\n`),
    async remove() {
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      guard.stdin.end('done\n');
    },
  };
}

/** Lets the event loop end while this pipe is open. */
export function unreferenced(stream: object | null): void {
  if (stream && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
}
