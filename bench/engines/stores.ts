// Stores of a size on each engine: prepared or imported on SQLite, moved to PostgreSQL, copied to the index of vectors.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { note } from '../speed/notes.ts';
import { makePlace, type Place } from '../speed/place.ts';
import { placeStore, SIZES, type Size, storeBytes } from '../speed/prepared-store.ts';
import { startHubs } from './hubs.ts';
import { ask, databaseBytes } from './servers.ts';

export interface PreparedRow {
  readonly memories: number;
  readonly step: string;
  readonly seconds: number;
  readonly per_second: number;
  /** What the engine that was filled holds on disk for each memory. */
  readonly bytes_per_memory: number;
}

const STORE_FILE = 'haivemind.db';
const LOOK_EVERY_MS = 20;
const SETTLE_TIMEOUT_MS = 180_000;

/** A place with a SQLite store of this many notes; sizes that are not prepared are imported, so keep them small. */
export async function sqliteStore(size: number, say: (text: string) => void): Promise<Place> {
  const place = makePlace();
  const prepared = SIZES.find((one): one is Size => one === size);
  if (prepared !== undefined) {
    await placeStore(place.data_dir, prepared, say);
    return place;
  }
  const lines = Array.from({ length: size }, (_, i) => JSON.stringify(note(i, 3)));
  await importInto(place, `${lines.join('\n')}\n`);
  return place;
}

/** Imports JSON lines through a hub, as people do, and waits for the vectors. */
export async function importInto(place: Place, lines: string): Promise<void> {
  const file = join(place.env.HOME ?? '', 'memories.jsonl');
  writeFileSync(file, lines);
  const hubs = await startHubs(1, () => ({}), place);
  try {
    await place.run(['import', file, '--json']);
    await place.vectorsMade();
  } finally {
    await hubs.stop();
  }
}

/** Moves a copy of the store; the place keeps its own. */
export async function moveToPostgres(place: Place, url: string, memories: number): Promise<PreparedRow> {
  const { ms } = await place.run(['migrate-store', '--from', `sqlite:${place.data_dir}`, '--to', url, '--json']);
  // As autovacuum does some minutes later.
  await ask(url, 'vacuum analyze');
  return preparedRow(memories, 'migrate-store to PostgreSQL', ms, await databaseBytes(url));
}

export async function fillIndex(
  place: Place,
  env: Readonly<Record<string, string>>,
  what: string,
  bytes: () => Promise<number> | number,
): Promise<PreparedRow> {
  const { ms, stdout } = await place.run(['reindex', '--json'], env);
  const summary = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '{}') as { memories?: number };
  return preparedRow(summary.memories ?? Number.NaN, `reindex to ${what}`, ms, await bytes());
}

export function sqliteRow(place: Place, memories: number): PreparedRow {
  return preparedRow(memories, 'SQLite file (prepared before)', Number.NaN, storeBytes(place.data_dir));
}

function preparedRow(memories: number, step: string, ms: number, bytes: number): PreparedRow {
  return {
    memories,
    step,
    seconds: ms / 1_000,
    per_second: (memories / ms) * 1_000,
    bytes_per_memory: bytes / memories,
  };
}

/** Waits until nothing waits for its vector, and no changed row for the index. Rejects after three minutes. */
export async function untilSettled(place: Place, postgres: string | undefined): Promise<void> {
  const deadline_ms = performance.now() + SETTLE_TIMEOUT_MS;
  const waiting = postgres === undefined ? () => waitingInFile(place) : () => waitingInDatabase(postgres);
  while ((await waiting()) > 0) {
    if (performance.now() > deadline_ms) throw new Error('Vectors were not made within three minutes.');
    await pause(LOOK_EVERY_MS);
  }
}

const WAITING =
  'select (select count(*) from memory_vector_queue) + (select count(*) from vector_outbox) as waiting' as const;

async function waitingInDatabase(url: string): Promise<number> {
  const [row] = await ask<{ waiting: string }>(url, WAITING);
  return Number(row?.waiting);
}

function waitingInFile(place: Place): number {
  const file = join(place.data_dir, STORE_FILE);
  if (!existsSync(file)) return 0;
  const db = new DatabaseSync(file, { readOnly: true, timeout: 10_000 });
  try {
    return Number(db.prepare(WAITING).get()?.waiting);
  } finally {
    db.close();
  }
}
