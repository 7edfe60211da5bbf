// npm run bench:retrieval [-- --json] [--engine sqlite|postgres] [--system BM25]: what each signal of the search brings on each set, in
// one table; full text from the engine named, once for each that is.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findRanked } from '../../src/domains/memory/ranking/index.ts';
import { createLocalEmbedder } from '../../src/storage/embedding/local.ts';
import { type Corpus, loadCorpus } from './corpus.ts';
import { DEPTH, type Measures, mean, measure, percentile } from './metrics.ts';
import { readSets } from './sets.ts';
import { SYSTEMS, type System } from './systems.ts';
import { ENGINES, type EngineName, withTextEngine } from './text-engines.ts';

type Row = {
  readonly engine: EngineName;
  readonly set: string;
  readonly system: string;
  readonly queries: number;
  readonly ms_p50: number;
  readonly ms_p95: number;
  readonly bytes_per_memory: number;
} & Measures;

const evaluate = async (corpus: Corpus, system: System, engine: EngineName): Promise<Row> => {
  const deps = corpus.deps(system.metric);
  const times: number[] = [];
  const measures: Measures[] = [];
  for (const [index, { text, project, grades }] of corpus.set.queries.entries()) {
    const query = system.semantic ? corpus.queries[index] : undefined;
    const allowed = corpus.allowed(project);
    const start = performance.now();
    const hits = await findRanked(deps, { question: text, query, limit: DEPTH, allowed }, system.constants);
    times.push(performance.now() - start);
    measures.push(
      measure(
        hits.map((hit) => hit.row_id),
        grades,
      ),
    );
  }
  return {
    engine,
    set: corpus.set.name,
    system: system.name,
    queries: measures.length,
    ...mean(measures),
    ms_p50: percentile(times, 0.5),
    ms_p95: percentile(times, 0.95),
    bytes_per_memory: system.reads.reduce((sum, part) => sum + corpus.bytes[part], 0),
  };
};

const COLUMNS: readonly (keyof Measures)[] = ['ndcg_10', 'recall_5', 'recall_10', 'hit_5', 'hit_10', 'mrr'];

const print = (rows: readonly Row[]): void => {
  const head = ['nDCG@10', 'R@5', 'R@10', 'hit@5', 'hit@10', 'MRR', 'ms p50', 'p95', 'bytes'];
  for (const [set, own] of Map.groupBy(rows, (row) => `${row.set}, ${row.engine}`)) {
    console.log(`\n${set} (${own[0]?.queries} questions)`.padEnd(38) + head.map((each) => each.padStart(9)).join(''));
    for (const row of own) {
      const figures = COLUMNS.map((column) => (100 * row[column]).toFixed(1));
      const costs = [row.ms_p50.toFixed(2), row.ms_p95.toFixed(2), row.bytes_per_memory.toFixed(0)];
      console.log(`  ${row.system}`.padEnd(37) + [...figures, ...costs].map((each) => each.padStart(9)).join(''));
    }
  }
};

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    engine: { type: 'string', multiple: true },
    system: { type: 'string', multiple: true },
  },
});
const engines = ENGINES.filter((name) => (flags.engine ?? ['sqlite']).includes(name));
if (engines.length === 0) throw new Error(`--engine takes one of: ${ENGINES.join(', ')}`);
const systems = SYSTEMS.filter(({ name }) => flags.system === undefined || flags.system.includes(name));
const { json } = flags;
const { sets, sampled } = readSets();
await using embedder = createLocalEmbedder({ models_dir: join(import.meta.dirname, '../../models') });
const rows: Row[] = [];
for (const set of sets)
  for (const name of engines)
    await withTextEngine(name, async (engine) => {
      const corpus = await loadCorpus(set, embedder, engine);
      for (const system of systems) rows.push(await evaluate(corpus, system, name));
    });
if (json) console.log(JSON.stringify({ embedder: embedder.id, sampled, rows }, null, 2));
else {
  if (sampled)
    console.log('The shared retrieval sets are not on this machine: these are the small samples of the project.');
  print(rows);
  console.log(
    '\nTimes are those of the search itself, without embedding the question; bytes are those on disk, without the text.',
  );
}
