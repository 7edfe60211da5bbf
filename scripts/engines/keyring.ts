// A key ring of the system as a desktop has one: gnome-keyring behind a message bus of its own, unlocked, for one test.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { makePlace } from './place.ts';
import { busProgram, busQuestionProgram, keyringProgram } from './programs.ts';

export interface KeyringServer extends AsyncDisposable {
  /** What DBUS_SESSION_BUS_ADDRESS has to be for a program to find it. */
  readonly address: string;
  /** Ends the bus, with which the key ring ends, and removes their directory; again does nothing. */
  stop(): Promise<void>;
}

export interface KeyringOptions {
  /** False: nobody ever unlocked it, and there is no screen to ask at. Default true. */
  readonly unlocked?: boolean;
}

const START_TIMEOUT_MS = 30_000;
const ASK_EVERY_MS = 20;
const OUTPUT_KEPT_CHARS = 2_000;

/** Throws where the programs are missing, or with the bus' own words where it does not start. */
export async function startKeyring({ unlocked = true }: KeyringOptions = {}): Promise<KeyringServer> {
  const programs = { bus: busProgram(), ask: busQuestionProgram(), keyring: keyringProgram() };
  const place = makePlace('keyring', 'KILL');
  const bus = spawn(
    programs.bus,
    ['--session', '--nofork', '--nosyslog', '--print-address=1', `--address=unix:dir=${place.directory}`],
    { cwd: place.directory, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  place.watch(bus.pid);
  let keyring: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    for (const child of [keyring, bus]) if (child) await end(child);
    place.watch(undefined);
    await place.remove();
  };
  try {
    const address = await addressOf(bus);
    const env = environment(place.directory, address);
    keyring = spawn(programs.keyring, ['--foreground', '--components=secrets', ...(unlocked ? ['--unlock'] : [])], {
      cwd: place.directory,
      env,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    // The passphrase of this key ring, which lives as long as the test.
    keyring.stdin?.end(crypto.randomUUID());
    await untilOwned(programs.ask, env, keyring);
    return { address, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** None of a screen: it would be asked for a passphrase there. */
function environment(directory: string, address: string): NodeJS.ProcessEnv {
  const { PATH, LANG } = process.env;
  const own = { HOME: directory, XDG_DATA_HOME: directory, XDG_RUNTIME_DIR: directory };
  return { PATH, LANG, ...own, DBUS_SESSION_BUS_ADDRESS: address };
}

function addressOf(bus: ChildProcess): Promise<string> {
  let output = '';
  let errors = '';
  return new Promise((resolve, reject) => {
    bus.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('\n')) resolve(output.slice(0, output.indexOf('\n')));
    });
    bus.stderr?.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-OUTPUT_KEPT_CHARS);
    });
    bus.once('error', (error) => reject(new Error(`The message bus could not be started (${error.message})`)));
    bus.once('close', (code, signal) =>
      reject(new Error(`The message bus ended while it started (${code ?? signal}):\n${errors}`)),
    );
  });
}

/** Asked before anybody uses it: the bus would start another key ring for a name nobody has. */
async function untilOwned(program: string, env: NodeJS.ProcessEnv, keyring: ChildProcess): Promise<void> {
  const question = ['/org/freedesktop/DBus', 'org.freedesktop.DBus.NameHasOwner', 'string:org.freedesktop.secrets'];
  const args = ['--session', '--print-reply', '--dest=org.freedesktop.DBus', ...question];
  const deadline_ms = Date.now() + START_TIMEOUT_MS;
  while (!(spawnSync(program, args, { env, encoding: 'utf8' }).stdout ?? '').includes('boolean true')) {
    if (keyring.exitCode !== null || keyring.signalCode !== null || Date.now() > deadline_ms)
      throw new Error('gnome-keyring did not come up on its bus');
    await pause(ASK_EVERY_MS);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
