// The whole search, from text to ranked answers, on the project's own samples.
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findRanked } from '../../src/domains/memory/ranking/index.ts';
import { createLocalEmbedder } from '../../src/storage/embedding/local.ts';
import { loadCorpus } from './corpus.ts';
import { DEPTH, mean, measure } from './metrics.ts';
import { readSet } from './sets.ts';
import { SYSTEMS } from './systems.ts';

const root = join(import.meta.dirname, '../..');
const embedder = createLocalEmbedder({ models_dir: join(root, 'models') });
afterAll(() => embedder[Symbol.asyncDispose]());

const evaluate = async (folder: string, name: string) => {
  const corpus = await loadCorpus(readSet(join(root, 'test/samples/retrieval', folder)), embedder);
  const system = SYSTEMS.find((each) => each.name === name)!;
  const measures = [];
  for (const [index, { text, project, grades }] of corpus.set.queries.entries()) {
    const query = system.semantic ? corpus.queries[index] : undefined;
    const hits = await findRanked(
      corpus.deps(system.metric),
      { question: text, query, limit: DEPTH, allowed: corpus.allowed(project) },
      system.constants,
    );
    measures.push(
      measure(
        hits.map((hit) => hit.row_id),
        grades,
      ),
    );
  }
  return mean(measures);
};

describe.each(['notes', 'conversation'])('search on the sample %s', (folder) => {
  it('finds what a user would ask for', async () => {
    const measures = await evaluate(folder, 'default (all of them)');
    expect(measures.hit_10).toBeGreaterThanOrEqual(0.85);
    expect(measures.mrr).toBeGreaterThanOrEqual(0.5);
  });
  it('runs every ranking of the table', async () => {
    for (const { name } of SYSTEMS) expect((await evaluate(folder, name)).hit_10).toBeGreaterThan(0);
  });
});
