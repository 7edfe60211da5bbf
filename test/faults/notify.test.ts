// Three hubs on PostgreSQL alone, which tell each other of changes by its notifications, and what kills them.
import { it } from 'vitest';
import { describeEngine } from '../engines/suites.ts';
import { hubKilled, postgresAway } from './scenarios.ts';
import { underLoad } from './under-load.ts';

const PACE = { writes: 20, away_ms: 500 };

describeEngine('postgres', () => {
  it('lose nothing where one is killed while the others serve', { timeout: 180_000 }, async () => {
    await underLoad({ hubs: 3, redis: false, chroma: false }, async (cluster, load, random) => {
      await hubKilled(cluster, load, PACE, random.pick(cluster.hubs));
      await postgresAway(cluster, load, PACE, 'kill');
      await hubKilled(cluster, load, PACE, random.pick(cluster.hubs));
    });
  });
});
