// One engine as a process on a loopback port: started until it says that it is ready, stopped, killed, started again.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type EnginePlace, unreferenced } from './place.ts';

export interface EngineCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  readonly gid?: number;
}

export interface EngineSpec {
  /** As people know it: it begins every error. */
  readonly name: string;
  readonly place: EnginePlace;
  /** A port that has to be this one; without it a free one is found. */
  readonly port: number | undefined;
  command(port: number): EngineCommand;
  /** What the engine prints once it answers. */
  readonly ready: RegExp;
  /** Asked again and again after that, where the engine says it a little too early. */
  answers?(port: number): Promise<boolean>;
  readonly signals: { readonly stop: NodeJS.Signals; readonly kill: NodeJS.Signals };
}

export interface EngineServer extends AsyncDisposable {
  readonly port: number;
  /** Of the process that runs now; of the last one while none runs. */
  readonly pid: number;
  /** Ends the engine and removes its directory; again does nothing. */
  stop(): Promise<void>;
  /** Ends the process at once, as a crash would; its directory stays. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again with the same settings, port and directory, after ending it in good order where it still runs. */
  restart(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
/** An engine that does not end in this time after being asked is killed. */
const STOP_TIMEOUT_MS = 20_000;
const PORT_FIRST = 20_000;
const PORT_LAST = 32_000;
/** Another process may take a free port before the engine does. */
const PORT_TRIES = 5;
const ASK_EVERY_MS = 10;
const OUTPUT_KEPT_CHARS = 8_000;

/** Rejects with the engine's name and its own last lines where it does not start; its place is removed then. */
export async function runEngine(spec: EngineSpec): Promise<EngineServer> {
  const port = { now: 0 };
  let child: Running;
  try {
    child = await startSomewhere(spec, port);
  } catch (error) {
    await spec.place.remove();
    throw error;
  }
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= child.end(spec.signals.stop).then(() => spec.place.remove());
    return stopped;
  };
  return {
    port: port.now,
    get pid() {
      return child.pid;
    },
    stop,
    kill: () => child.end(spec.signals.kill),
    async restart() {
      if (stopped) throw new Error(`${spec.name} was stopped; start a new one.`);
      await child.end(spec.signals.stop);
      child = await startOnce(spec, port.now);
    },
    [Symbol.asyncDispose]: stop,
  };
}

interface Running {
  readonly pid: number;
  end(signal: NodeJS.Signals): Promise<void>;
}

async function startSomewhere(spec: EngineSpec, port: { now: number }): Promise<Running> {
  for (let tries = 1; ; tries += 1) {
    port.now = spec.port ?? (await freePort());
    try {
      return await startOnce(spec, port.now);
    } catch (error) {
      if (spec.port !== undefined || tries >= PORT_TRIES || !PORT_TAKEN.test(String(error))) throw error;
    }
  }
}

const PORT_TAKEN = /address (?:is )?already in use|EADDRINUSE|is not available/i;

async function startOnce(spec: EngineSpec, port: number): Promise<Running> {
  const { command, args, ...options } = spec.command(port);
  const child = spawn(command, args, { cwd: spec.place.directory, stdio: ['ignore', 'pipe', 'pipe'], ...options });
  spec.place.watch(child.pid);
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  void gone.then(() => spec.place.watch(undefined));
  try {
    await untilReady(spec, child, port);
  } catch (error) {
    child.kill('SIGKILL');
    await gone;
    throw error;
  }
  setReferenced(child, false);
  return { pid: child.pid ?? 0, end: (signal) => endChild(child, gone, signal) };
}

/** The engine's own word is waited for: a connection might reach another process that took the port. */
function untilReady(spec: EngineSpec, child: ChildProcess, port: number): Promise<void> {
  let output = '';
  return new Promise((resolve, reject) => {
    const fail = (what: string) => reject(new Error(`${spec.name} ${what}${output === '' ? '' : `:\n${output}`}`));
    const timer = setTimeout(() => fail(`was not ready within ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
    let asked = false;
    const take = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-OUTPUT_KEPT_CHARS);
      if (asked || !spec.ready.test(output)) return;
      asked = true;
      void untilAnswered(spec, child, port).then((answered) => {
        if (!answered) return;
        clearTimeout(timer);
        resolve();
      });
    };
    // Both are read to the end of the engine's life: a full pipe would make it stand still.
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('error', (error) => {
      clearTimeout(timer);
      fail(`could not be started (${error.message})`);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      fail(`ended while it started (${code ?? signal})`);
    });
  });
}

/** False where the process ended instead. */
async function untilAnswered(spec: EngineSpec, child: ChildProcess, port: number): Promise<boolean> {
  while (!hasEnded(child)) {
    if (!spec.answers || (await spec.answers(port).catch(() => false))) return !hasEnded(child);
    await pause(ASK_EVERY_MS);
  }
  return false;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function endChild(child: ChildProcess, gone: Promise<void>, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  setReferenced(child, true);
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await gone;
  clearTimeout(timer);
}

/** A program that forgets to stop an engine ends nevertheless, and the guard then ends the engine. */
function setReferenced(child: ChildProcess, wanted: boolean): void {
  if (wanted) {
    child.ref();
    return;
  }
  child.unref();
  unreferenced(child.stdout);
  unreferenced(child.stderr);
}

/**
 * A loopback port nobody listens on now, below those that systems give to outgoing connections: while an engine is down
 * one of the connections of a test, even one that asks for this very engine, could otherwise hold its port.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORT_FIRST, PORT_LAST + 1);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
