// An engine ends with the process that started it, however that process ends.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { ended, node24, projectRoot } from '../cli-binary.ts';
import { isAlive } from './alive.ts';
import { describeEngine } from './suites.ts';

const ENGINES = join(projectRoot, 'scripts', 'engines', 'index.ts');
const GONE_TIMEOUT_MS = 20_000;

interface Started {
  readonly pids: readonly number[];
  readonly file: string;
}

/** A program that starts two engines, says so, and does `then`. */
function program(then: string): string {
  return `
    const { startPostgres, startRedis } = await import(${JSON.stringify(ENGINES)});
    const postgres = await startPostgres();
    const redis = await startRedis({ tls: true });
    console.log(JSON.stringify({ pids: [postgres.pid, redis.pid], file: redis.ca_file }));
    ${then}
  `;
}

async function start(then: string) {
  const child = spawn(node24, ['--input-type=module', '-e', program(then)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = ended(child);
  const line = await Promise.race([
    new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve)),
    end.then(({ stderr }) => Promise.reject(new Error(stderr))),
  ]);
  const started: Started = JSON.parse(line);
  return { child, end, started };
}

async function expectGone({ pids, file }: Started): Promise<void> {
  await expect
    .poll(() => [...pids.map(isAlive), existsSync(file)], { timeout: GONE_TIMEOUT_MS })
    .toEqual([false, false, false]);
}

describeEngine(['postgres', 'redis'], () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('when its process ends by %s', async (signal) => {
    const { child, started } = await start('setInterval(() => {}, 1000);');
    expect([...started.pids.map(isAlive), existsSync(started.file)]).toEqual([true, true, true]);
    child.kill(signal);
    await expectGone(started);
  });

  it('when its process forgets to stop it, which does not keep the process from ending', async () => {
    const { end, started } = await start('');
    expect(await end).toMatchObject({ code: 0, stderr: '' });
    await expectGone(started);
  });

  it('is ended although the signal went to the whole group of processes', async () => {
    const command = `exec "$0" "$@"`;
    const child = spawn(
      'sh',
      ['-c', command, node24, '--input-type=module', '-e', program('setInterval(() => {}, 1000);')],
      {
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const line = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
    process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
    await expectGone(JSON.parse(line));
  });
});
