// What no call on tasks can do without, measured in the same run: a durable commit, an MCP call and a
// process that do nothing.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { stdioProgram } from '../speed/clients.ts';
import { type Summary, timed } from '../speed/stats.ts';

export interface TaskFloors {
  /** One row in WAL mode with FULL synchronisation. */
  readonly commit: Summary;
  /** A tool of the MCP SDK that gives back its input, over stdio. */
  readonly echo: Summary;
  /** A process of Node that does nothing. */
  readonly start: Summary;
}

export async function measureFloors(count: number): Promise<TaskFloors> {
  return { commit: await commits(count), echo: await echoes(count), start: await timed(10, nodeStart, { warmup: 1 }) };
}

async function commits(count: number): Promise<Summary> {
  const folder = mkdtempSync(join(tmpdir(), 'haivemind-bench-commit-'));
  const db = new DatabaseSync(join(folder, 'floor.db'));
  db.exec('pragma journal_mode = wal; pragma synchronous = full; create table t (id integer primary key, text text)');
  const insert = db.prepare('insert into t (text) values (?)');
  try {
    return await timed(count, (i) => {
      db.exec('begin immediate');
      insert.run(`a row of about the size of a task, ${i} `.repeat(12));
      db.exec('commit');
    });
  } finally {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function echoes(count: number): Promise<Summary> {
  const client = await stdioProgram([join(import.meta.dirname, '..', 'speed', 'echo-server.ts'), 'stdio']);
  try {
    return await timed(count, (i) => client.call('echo' as never, { text: `task ${i}` }), { warmup: 50 });
  } finally {
    await client.close();
  }
}

function nodeStart(): Promise<void> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', () => done());
  });
}
