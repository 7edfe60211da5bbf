// What no combination can do without, measured in the same run: a round trip to each engine, a durable commit on each.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createClient } from '@redis/client';
import pg from 'pg';
import { measureFloors } from '../speed/floors.ts';
import { note } from '../speed/notes.ts';
import { stopped } from '../speed/place.ts';
import { type Summary, timed } from '../speed/stats.ts';
import type { Servers } from './servers.ts';

export type EngineFloors = Readonly<Record<string, Summary>>;

const REPEATS = 300;

/** Those of the engines named; each with one client. */
export async function measureEngineFloors(servers: Servers, names: ReadonlySet<string>): Promise<EngineFloors> {
  const { 'query embedding': query, 'document embedding': document, 'durable commit': commit } = await measureFloors();
  return {
    'query embedding': query,
    'embedding of 100 tokens': document,
    'fastify POST': await posts(),
    'SQLite durable commit': commit,
    ...(names.has('postgres') ? await onPostgres((await servers.postgres()).url) : {}),
    ...(names.has('redis') ? { 'Redis PING': await pings((await servers.redis()).url) } : {}),
    ...(names.has('chroma') ? { 'Chroma heartbeat': await beats((await servers.chroma()).url) } : {}),
  };
}

async function posts(): Promise<Summary> {
  const server = spawn(process.execPath, [join(import.meta.dirname, 'echo-post.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await new Promise<string>((done, reject) => {
      createInterface({ input: server.stdout }).once('line', done);
      server.once('exit', (code) => reject(new Error(`The echo server ended with ${code}.`)));
    });
    const headers = { 'content-type': 'application/json' };
    return await timed(REPEATS, async (i) => {
      const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(note(i)) });
      await answer.json();
    });
  } finally {
    await stopped(server);
  }
}

async function onPostgres(url: string): Promise<Record<string, Summary>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const trip = await timed(REPEATS, () => client.query('select 1'));
    await client.query('create table floor (id bigint generated always as identity primary key, text text)');
    const insert = (i: number) => client.query('insert into floor (text) values ($1)', [note(i).content]);
    const commit = await timed(REPEATS, insert);
    await client.query('drop table floor');
    return { 'PostgreSQL select 1': trip, 'PostgreSQL durable commit': commit };
  } finally {
    await client.end();
  }
}

async function pings(url: string): Promise<Summary> {
  const client = createClient({ url });
  await client.connect();
  try {
    return await timed(REPEATS, () => client.ping());
  } finally {
    client.destroy();
  }
}

function beats(url: string): Promise<Summary> {
  return timed(REPEATS, async () => {
    const answer = await fetch(`${url}/api/v2/heartbeat`);
    await answer.json();
  });
}
