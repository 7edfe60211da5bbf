// node bench/retrieval/text-speed.ts [count ...]: what full text costs on SQLite and on PostgreSQL as the store grows, in
// one run: building, one put in a transaction of its own, searches with words counted for the first time and again,
// filters, and how many questions get the same ten answers from both. PostgreSQL waits for its disk, as SQLite does.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase, startPostgres } from '../../scripts/engines/index.ts';
import { note, question, seeded } from '../speed/notes.ts';
import { percentile } from './metrics.ts';
import { openPostgresEngine, openTextEngine, type TextEngine } from './text-engines.ts';

const counts = process.argv.slice(2).map(Number);
const SIZES = counts.length > 0 ? counts : [10_000, 100_000];
const QUESTIONS = 200;
const PUTS = 200;
const BATCH = 1_000;
const LIMITS = [20, 200] as const;

const line = (name: string, times: readonly number[], rest = ''): void =>
  console.log(
    `  ${name.padEnd(46)} ms min ${Math.min(...times).toFixed(2)} p50 ${percentile(times, 0.5).toFixed(2)} p95 ${percentile(times, 0.95).toFixed(2)} max ${Math.max(...times).toFixed(1)} ${rest}`,
  );

const timed = async (count: number, work: (i: number) => Promise<unknown>): Promise<number[]> => {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await work(i);
    times.push(performance.now() - start);
  }
  return times;
};

const textOf = (i: number) => {
  const { content, category, tags } = note(i);
  return { body: content, extra: [category, ...tags].join(' ') };
};

const build = async (engine: TextEngine, size: number): Promise<void> => {
  const start = performance.now();
  for (let first = 0; first < size; first += BATCH)
    await engine.transaction(async (trx) => {
      for (let i = first; i < Math.min(size, first + BATCH); i++) await engine.index.put(trx, i + 1, textOf(i));
    });
  const seconds = (performance.now() - start) / 1000;
  const bytes = (await engine.bytes()) / size;
  console.log(
    `  build: ${seconds.toFixed(1)} s, ${(size / seconds).toFixed(0)} texts/s, ${bytes.toFixed(0)} bytes a text`,
  );
};

const measure = async (engine: TextEngine, size: number): Promise<number[][]> => {
  const { index } = engine;
  await build(engine, size);
  line(
    'put, each committed',
    await timed(PUTS, (i) => engine.transaction((trx) => index.put(trx, size + i + 1, textOf(size + i)))),
  );
  line('first search of the process', await timed(1, () => index.search(question(9_999), { limit: 200 })));
  line('word list of typos', await timed(1, () => index.warm()));
  const answers: number[][] = [];
  for (const round of ['words new', 'words known'])
    for (const limit of LIMITS)
      line(
        `search, limit ${limit}, ${round}`,
        await timed(QUESTIONS, async (i) => {
          const hits = await index.search(question(i + (limit === 20 ? 0 : QUESTIONS)), { limit });
          if (round === 'words known' && limit === 20) answers.push(hits.slice(0, 10).map((hit) => hit.row_id));
        }),
      );
  const random = seeded(3);
  for (const share of [0.005, 0.05, 0.5]) {
    const allowed = new Set(Array.from({ length: size }, (_, i) => i + 1).filter(() => random() < share));
    line(
      `search, ${share * 100} % allowed, limit 200`,
      await timed(50, (i) => index.search(question(i), { limit: 200, allowed })),
    );
  }
  line(
    'search of common words only',
    await timed(20, () => index.search('fixed replica health cause', { limit: 200 })),
  );
  line('search with a typo', await timed(20, (i) => index.search(`prometeus ${question(i)}`, { limit: 200 })));
  line(
    'rarity of 20 words',
    await timed(50, (i) =>
      index.rarity(
        note(i + 500)
          .content.split(/\W+/)
          .slice(0, 20),
      ),
    ),
  );
  return answers;
};

const server = await startPostgres({ durable: true });
const folder = mkdtempSync(join(tmpdir(), 'haivemind-text-speed-'));
try {
  for (const size of SIZES) {
    console.log(`\n${size.toLocaleString('en')} texts, SQLite`);
    const sqlite = openTextEngine(join(folder, `${size}.db`));
    const fromSqlite = await measure(sqlite, size).finally(() => sqlite.close());
    console.log(`\n${size.toLocaleString('en')} texts, PostgreSQL`);
    await using database = await freshDatabase(server.url);
    const postgres = await openPostgresEngine(database.url);
    const fromPostgres = await measure(postgres, size).finally(() => postgres.close());
    const same = fromSqlite.filter((rows, i) => rows.join() === fromPostgres[i]?.join()).length;
    const shared = fromSqlite.map(
      (rows, i) => rows.filter((row) => fromPostgres[i]?.includes(row)).length / Math.max(1, rows.length),
    );
    console.log(
      `\n  the same ten in the same order: ${same} of ${QUESTIONS}; of the ten on average shared ${((100 * shared.reduce((a, b) => a + b, 0)) / QUESTIONS).toFixed(1)} %`,
    );
  }
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}
