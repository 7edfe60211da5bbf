// What each operation cannot do without, measured in the same run: an embedding, a durable commit, an MCP call.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { createLocalEmbedder } from '../../src/storage/embedding/local.ts';
import { type BenchClient, httpClient, stdioProgram } from './clients.ts';
import { longText, note, question } from './notes.ts';
import { projectRoot, stopped } from './place.ts';
import { type Summary, timed } from './stats.ts';

export type FloorName =
  | 'query embedding'
  | 'document embedding'
  | 'durable commit'
  | 'MCP echo, stdio'
  | 'MCP echo, HTTP'
  | 'node start';

export type Floors = Readonly<Record<FloorName, Summary>>;

const echo = join(import.meta.dirname, 'echo-server.ts');

/** Measures all floors; takes some seconds. */
export async function measureFloors(): Promise<Floors> {
  return {
    ...(await embeddings()),
    'durable commit': await commits(),
    'MCP echo, stdio': await echoing(await stdioProgram([echo, 'stdio'])),
    'MCP echo, HTTP': await echoOverHttp(),
    'node start': await timed(10, nodeStart, { warmup: 1 }),
  };
}

async function embeddings(): Promise<Pick<Floors, 'query embedding' | 'document embedding'>> {
  await using embedder = createLocalEmbedder({ models_dir: join(projectRoot, 'models') });
  await embedder.warm?.();
  return {
    'query embedding': await timed(100, (i) => embedder.embedQuery(question(i)), { warmup: 10 }),
    'document embedding': await timed(60, (i) => embedder.embedDocuments([`${longText(100)} ${i}`]), { warmup: 5 }),
  };
}

/** One row of a memory's size in WAL mode with FULL synchronisation, on the disk of temporary files as the stores are. */
async function commits(): Promise<Summary> {
  const folder = mkdtempSync(join(tmpdir(), 'haivemind-bench-commit-'));
  const db = new DatabaseSync(join(folder, 'floor.db'));
  db.exec('pragma journal_mode = wal; pragma synchronous = full; create table t (id integer primary key, text text)');
  const insert = db.prepare('insert into t (text) values (?)');
  try {
    return await timed(200, (i) => {
      db.exec('begin immediate');
      insert.run(note(i).content);
      db.exec('commit');
    });
  } finally {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function echoing(client: BenchClient): Promise<Summary> {
  try {
    return await timed(300, (i) => client.call('echo' as never, { text: note(i).content }), { warmup: 50 });
  } finally {
    await client.close();
  }
}

async function echoOverHttp(): Promise<Summary> {
  const server = spawn(process.execPath, [echo, 'http'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    return await echoing(await httpClient(await firstLine(server)));
  } finally {
    await stopped(server);
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((done, reject) => {
    if (child.stdout) createInterface({ input: child.stdout }).once('line', done);
    child.once('exit', (code) => reject(new Error(`The echo server ended with ${code}.`)));
  });
}

function nodeStart(): Promise<void> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    child.once('error', reject);
    child.once('exit', () => done());
  });
}
