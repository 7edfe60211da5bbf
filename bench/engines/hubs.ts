// Several `haivemind serve` on the same engines, each with a home, a data directory and a machine name of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { cliEntry, makePlace, type Place, stopped } from '../speed/place.ts';

export interface HubProcess {
  readonly url: string;
  readonly pid: number;
}

export interface Hubs {
  readonly list: readonly HubProcess[];
  /** Stops all of them and removes what was made for them; `keep` names a place that stays. */
  stop(): Promise<void>;
}

export type MakeEnvironment = (folder: string) => Record<string, string>;

/** @param first a place that is there already (the one with the SQLite file); the others are made */
export async function startHubs(count: number, environment: MakeEnvironment, first?: Place): Promise<Hubs> {
  const children: ChildProcess[] = [];
  const made: Place[] = [];
  const list: HubProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(stopped));
    for (const place of made) place.remove();
  };
  try {
    for (let i = 0; i < count; i++) {
      const place = (i === 0 ? first : undefined) ?? makePlace();
      if (place !== first) made.push(place);
      const env = { ...place.env, ...environment(place.data_dir), HAIVEMIND_MACHINE_ID: `bench-${i + 1}` };
      const child = spawn(process.execPath, [cliEntry(), 'serve', '--json'], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      const { url } = JSON.parse(await firstLine(child)) as { url: string };
      list.push({ url, pid: child.pid ?? 0 });
    }
    return { list, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((done, reject) => {
    if (child.stdout) createInterface({ input: child.stdout }).once('line', done);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`haivemind serve ended with ${code} before it listened.`)));
  });
}
