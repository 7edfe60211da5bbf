// A hub of any installation as a process, for tests whose program is not the built one of this clone.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { ended, node24, type Ran } from '../cli-binary.ts';

export interface HubProcess {
  readonly url: string;
  stop(): Promise<Ran>;
}

/** Starts `haivemind serve` and waits until it listens. Rejects with what it said where it ends instead. */
export async function startHub(cli: string, env: NodeJS.ProcessEnv, cwd: string): Promise<HubProcess> {
  const child = spawn(node24, [cli, 'serve', '--json'], { cwd, env, stdio: 'pipe' });
  const gone = ended(child);
  const line = await Promise.race([
    new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve)),
    gone.then(({ code, stderr }) => Promise.reject(new Error(`haivemind serve ended with ${code}:\n${stderr}`))),
  ]);
  return {
    url: (JSON.parse(line) as { url: string }).url,
    stop() {
      child.kill('SIGTERM');
      return gone;
    },
  };
}
