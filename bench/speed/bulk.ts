// Many at once: documents imported per second, and four processes that write to one data directory at the same time.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { stdioClient } from './clients.ts';
import { note } from './notes.ts';
import { makePlace, type Place } from './place.ts';

export interface ImportRow {
  readonly how: string;
  readonly documents: number;
  readonly acknowledged_per_second: number;
  /** Until every document can be found by meaning; NaN where the process ends before that. */
  readonly searchable_per_second: number;
}

export interface WritersRow {
  readonly how: string;
  readonly writes: number;
  readonly per_second: number;
  readonly lost: number;
}

export async function measureImport(documents: number): Promise<ImportRow[]> {
  const rows: ImportRow[] = [];
  for (const withHub of [true, false]) {
    const place = makePlace();
    try {
      const file = join(place.env.HOME ?? '', 'notes.jsonl');
      const lines = Array.from({ length: documents }, (_, i) => JSON.stringify(note(i, 3)));
      writeFileSync(file, `${lines.join('\n')}\n`);
      const hub = withHub ? await place.startHub() : undefined;
      const started = performance.now();
      await place.run(['import', file, '--json']);
      const acknowledged_ms = performance.now() - started;
      if (hub) await place.vectorsMade();
      const searchable_ms = hub ? performance.now() - started : Number.NaN;
      await hub?.stop();
      rows.push({
        how: withHub ? 'through a hub' : 'without a hub',
        documents: countMemories(place),
        acknowledged_per_second: (documents / acknowledged_ms) * 1000,
        searchable_per_second: (documents / searchable_ms) * 1000,
      });
    } finally {
      place.remove();
    }
  }
  return rows;
}

/** Four stdio servers, each with its own connection to the store, no hub. */
export async function measureWriters(writes: number): Promise<WritersRow[]> {
  const rows: WritersRow[] = [];
  for (const inFlight of [1, 8]) {
    const place = makePlace();
    try {
      const clients = [];
      for (let i = 0; i < 4; i++) clients.push(await stdioClient(place.env));
      for (const [i, client] of clients.entries()) await client.call('store_memory', plain(900_000 + i));
      const lanes = clients.flatMap((client) => Array.from({ length: inFlight }, () => client));
      const each = Math.ceil(writes / lanes.length);
      const acknowledged: string[] = [];
      const begun = performance.now();
      await Promise.all(
        lanes.map(async (client, lane) => {
          for (let i = 0; i < each; i++) {
            const { memory_id } = await client.call('store_memory', plain(lane * each + i));
            acknowledged.push(String(memory_id));
          }
        }),
      );
      const took_ms = performance.now() - begun;
      for (const client of clients) await client.close();
      rows.push({
        how: `4 processes, ${inFlight} in flight each`,
        writes: acknowledged.length,
        per_second: (acknowledged.length / took_ms) * 1000,
        lost: countMissing(place, acknowledged),
      });
    } finally {
      place.remove();
    }
  }
  return rows;
}

function plain(index: number): Record<string, unknown> {
  const { content, category, tags } = note(index, 5);
  return { content: `${content} (${index})`, category, tags: [...tags] };
}

function countMemories(place: Place): number {
  const db = new DatabaseSync(join(place.data_dir, 'haivemind.db'), { readOnly: true });
  try {
    return (db.prepare('select count(*) as count from memories').get() as { count: number }).count;
  } finally {
    db.close();
  }
}

function countMissing(place: Place, ids: readonly string[]): number {
  const db = new DatabaseSync(join(place.data_dir, 'haivemind.db'), { readOnly: true });
  try {
    const find = db.prepare('select 1 from memories where memory_id = ?');
    return ids.filter((id) => find.get(id) === undefined).length;
  } finally {
    db.close();
  }
}
