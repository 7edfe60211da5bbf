// Work of which one process at a time does the whole: its lease passes on when the process is killed, and not before.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import { freshDatabase, startPostgres } from '../../scripts/engines/index.ts';
import { node24 } from '../cli-binary.ts';
import { describeEngine } from '../engines/suites.ts';
import { until } from './cluster.ts';

describeEngine('postgres', () => {
  const holders: ChildProcess[] = [];
  afterEach(() => {
    for (const holder of holders) holder.kill('SIGKILL');
  });

  it('goes from one killed holder to the next, with a greater token each time', { timeout: 120_000 }, async () => {
    await using server = await startPostgres();
    await using database = await freshDatabase(server.url);
    const said: { readonly name: string; readonly line: string }[] = [];
    const start = (name: string): void => {
      const child = spawn(node24, [join(import.meta.dirname, 'lease-holder.ts'), database.url, name], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      holders.push(child);
      createInterface({ input: child.stdout }).on('line', (line) => said.push({ name, line }));
    };
    const names = ['a', 'b', 'c'];
    for (const name of names) start(name);
    for (let round = 1; round <= names.length; round++) {
      await until(
        'somebody has it',
        () => said.length,
        (count) => count >= round,
      );
      const holder = said.at(-1);
      expect(holder?.line).toBe(String(round));
      holders[names.indexOf(String(holder?.name))]?.kill('SIGKILL');
    }
    // Nobody lost it while alive, and each had it once.
    expect(said.map(({ line }) => line)).toEqual(['1', '2', '3']);
    expect(said.map(({ name }) => name).toSorted()).toEqual(names);
  });
});
