// Rounds of kill -9: start a process, let it write, kill it with requests in flight, again and again on one store.
import { setTimeout as pause } from 'node:timers/promises';
import { cliPath, type Place } from '../cli-binary.ts';
import { type Ask, contradictions, type Ledger, newLedger, writeOnce } from './ledger.ts';
import { PROCESS_GONE, startMcp } from './mcp-process.ts';
import { isCut, restAsk } from './rest-ask.ts';
import type { Seeded } from './seeded.ts';

const IN_FLIGHT = 4;
/** The kill comes after so many acknowledgements, and then at any point of the next writes. */
const ACKNOWLEDGED_BEFORE_KILL_MAX = 12;
const KILL_DELAY_MAX_MS = 12;

interface Victim {
  readonly ask: Ask;
  /** Whether an answer is missing as it may be: only the process this round kills may go, and only then. */
  readonly isLost: (error: unknown, killed: boolean) => boolean;
  kill(): Promise<unknown>;
}

export interface KillResult {
  readonly kills: number;
  readonly ledgers: readonly Ledger[];
}

/** `stdio` and `http` are numbers of kills; stdio runs in `lanes` on the same store at the same time. */
export async function killRounds(
  place: Place,
  random: Seeded,
  { stdio, lanes, http }: { readonly stdio: number; readonly lanes: number; readonly http: number },
): Promise<KillResult> {
  const perLane = Math.ceil(stdio / lanes);
  const work = Array.from({ length: lanes }, () => ({
    ledger: newLedger(random.fork()),
    rounds: perLane,
    start: () => startStdio(place),
  }));
  if (http > 0) {
    const ledger = newLedger(random.fork());
    work.push({ ledger, rounds: http, start: () => startHub(place) });
  }
  await Promise.all(
    work.map(async ({ ledger, rounds, start }) => {
      for (let round = 0; round < rounds; round++) await killWhileWriting(await start(), ledger);
    }),
  );
  return { kills: perLane * lanes + http, ledgers: work.map(({ ledger }) => ledger) };
}

async function startStdio(place: Place): Promise<Victim> {
  const mcp = await startMcp({ cli: cliPath, env: place.env, cwd: place.home });
  return {
    ask: mcp.ask,
    // Through a hub that another lane kills, the proxy answers with an error that says so.
    isLost: (error, killed) => /went away/.test(String(error)) || (killed && String(error).includes(PROCESS_GONE)),
    kill: () => mcp.signal('SIGKILL'),
  };
}

async function startHub(place: Place): Promise<Victim> {
  const hub = await place.serve(['serve']);
  return {
    ask: restAsk(hub.listening.url),
    isLost: (error, killed) => killed && isCut(error),
    kill: () => hub.stop('SIGKILL'),
  };
}

async function killWhileWriting(victim: Victim, ledger: Ledger): Promise<void> {
  const { random } = ledger;
  const { promise: enough, resolve, reject } = Promise.withResolvers<void>();
  let left = 1 + random.below(ACKNOWLEDGED_BEFORE_KILL_MAX);
  let alive = true;
  const writers = Array.from({ length: IN_FLIGHT }, async () => {
    while (alive) {
      const acknowledged = await writeOnce(ledger, victim.ask, (error) => victim.isLost(error, !alive));
      if (acknowledged && --left === 0) resolve();
    }
  });
  for (const writer of writers) writer.catch(reject);
  try {
    await enough;
    // Chance decides where in a write the kill falls: nothing waits for this time to pass.
    await pause(random.below(KILL_DELAY_MAX_MS + 1));
  } finally {
    alive = false;
    await victim.kill();
  }
  await Promise.all(writers);
}

/** Asks a fresh process for everything in the ledgers. */
export async function lostIn(ledgers: readonly Ledger[], ask: Ask): Promise<string[]> {
  const found = await Promise.all(ledgers.map((ledger) => contradictions(ledger, ask)));
  return found.flat();
}
