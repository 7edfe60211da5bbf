// What must hold of a store on PostgreSQL after everything that happened to it.
import { expect } from 'vitest';
import { withClient } from '../../scripts/engines/client.ts';
import { restCaller } from './callers.ts';
import { type Cluster, type Health, until } from './cluster.ts';
import type { Entry } from './load.ts';

/** Each query returns what must not exist: rows that tell of half a write, or of one made twice. */
const CONTRADICTIONS: Readonly<Record<string, string>> = {
  'living without text in the full-text index':
    'select row_id from memories where deleted_at is null and row_id not in (select row_id from memory_texts)',
  'text in the full-text index of nothing living':
    'select row_id from memory_texts where row_id not in (select row_id from memories where deleted_at is null)',
  'tag in the record but not in the tag table': `select m.row_id, t.value from memories m
      cross join lateral jsonb_array_elements_text(m.tags::jsonb) t(value) where m.deleted_at is null
      and not exists (select 1 from memory_tags g where g.row_id = m.row_id and g.tag = t.value)`,
  'tag in the tag table but not in a living record': `select g.row_id from memory_tags g where not exists (
      select 1 from memories m where m.row_id = g.row_id and m.deleted_at is null and m.tags::jsonb ? g.tag)`,
  'record whose newest change is not in the change record': `select m.memory_id from memories m where not exists (
      select 1 from changes c where c.entity_id = m.memory_id and c.origin = m.origin
      and c.origin_sequence = m.origin_sequence and c.clock = m.clock and c.version_vector = m.version_vector)`,
  'record with another number of changes than its version says':
    'select memory_id from memories m where version <> (select count(*) from changes c where c.entity_id = m.memory_id)',
  'change of no record':
    "select entity_id from changes where entity = 'memory' and entity_id not in (select memory_id from memories)",
  'record without all its earlier versions': `select memory_id from memories m where version - 1 <>
      (select count(*) from memory_versions v where v.memory_id = m.memory_id and v.version between 1 and m.version - 1)`,
  'versions of no record':
    'select memory_id from memory_versions where memory_id not in (select memory_id from memories)',
  'changes with a gap in their sequence': `select o.origin from origins o where
      (select (count(*), coalesce(min(origin_sequence), 1), coalesce(max(origin_sequence), 0))
       from changes c where c.origin = o.origin) <> (o.last_sequence, 1::bigint, o.last_sequence)`,
  'changes of an origin nobody knows': 'select origin from changes where origin not in (select origin from origins)',
  'clock that runs backwards': `select seq from (select seq, clock, lag(clock) over (partition by origin
      order by origin_sequence) as before from changes) c where before >= clock`,
  'changes that appeared in another order than their sequence': `select seq from (select seq, lag(seq) over
      (partition by origin order by origin_sequence) as before from changes) c where before >= seq`,
  'living without exactly one vector of each chunk': `select m.row_id from memories m left join memory_vectors v
      on v.row_id = m.row_id where m.deleted_at is null group by m.row_id
      having count(v.row_id) = 0 or count(*) <> max(v.chunk) + 1 or count(*) <> count(distinct v.chunk)`,
  'vector, queue row or signature of nothing living': `select row_id from (select row_id from memory_vectors union
      select row_id from memory_vector_queue union select row_id from memory_signatures) p
      where row_id not in (select row_id from memories where deleted_at is null)`,
  'two living memories that are the same':
    'select identity_hash from memories where deleted_at is null group by identity_hash having count(*) > 1',
};

/** Waits for the work that follows writes, then holds the store against itself and against what clients were told. */
export async function checkAll(cluster: Cluster, entries: readonly Entry[]): Promise<void> {
  await untilIdle(cluster);
  await withClient(cluster.database_url, async (client) => {
    const found: string[] = [];
    for (const [name, query] of Object.entries(CONTRADICTIONS)) {
      const { rows } = await client.query(query);
      if (rows.length > 0) found.push(`${rows.length} x ${name}: ${JSON.stringify(rows.slice(0, 3))}`);
    }
    expect(found).toEqual([]);
    const { rows } = await client.query(
      'select memory_id, content, version::int, deleted_at is not null as deleted from memories order by memory_id',
    );
    // Deleting is a version too, which says what the one before said.
    const told = entries.map(({ memory_id, contents, version, deleted }) => ({
      memory_id,
      content: contents[deleted ? version - 2 : version - 1],
      version,
      deleted,
    }));
    expect(rows).toEqual(told.sort((a, b) => (a.memory_id < b.memory_id ? -1 : 1)));
  });
}

/** The index that another program holds has each memory, and searches by meaning find it. */
export async function checkIndex(cluster: Cluster, entries: readonly Entry[]): Promise<void> {
  const { stdout } = await cluster.run(['doctor', '--json']);
  const { checks } = JSON.parse(stdout) as Health;
  expect(checks.find((check) => check.name === 'vector index drift')).toMatchObject({ status: 'ok' });
  const call = restCaller(cluster);
  for (const { memory_id, contents, version } of entries.filter((entry) => !entry.deleted)) {
    const query = contents[version - 1];
    const answer = await call('search_memories', { query, limit: 5, detail: 'ids', explain: true });
    expect(answer).toMatchObject({ output: { mode: 'hybrid', notice: null } });
    const { results } = ('output' in answer ? answer.output : {}) as { results: Found[] };
    const found = results.find((result) => result.memory_id === memory_id);
    expect(found?.explain.vector, memory_id).toBeGreaterThan(0);
  }
}

interface Found {
  readonly memory_id: string;
  readonly explain: Readonly<Record<string, number>>;
}

/** Every memory has its vectors, and an index that another program holds knows of them. */
export async function untilIdle(cluster: Pick<Cluster, 'database_url'>, deadline_ms = 100_000): Promise<void> {
  await withClient(cluster.database_url, (client) =>
    until(
      'the queue of vectors and the outbox are empty',
      async () => {
        const { rows } = await client.query<{ queue: number; outbox: number }>(
          'select (select count(*)::int from memory_vector_queue) as queue, (select count(*)::int from vector_outbox) as outbox',
        );
        return rows[0];
      },
      (row) => row?.queue === 0 && row.outbox === 0,
      deadline_ms,
    ),
  );
}
