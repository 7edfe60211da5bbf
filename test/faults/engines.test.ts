// Three hubs on PostgreSQL, Redis and Chroma, each of which goes away while clients work.
import { it } from 'vitest';
import { describeEngine } from '../engines/suites.ts';
import { allAway, chromaAway, hubKilled, postgresAway, redisAway } from './scenarios.ts';
import { underLoad } from './under-load.ts';

const PACE = { writes: 20, away_ms: 1_000 };
const ALL = { hubs: 3, redis: true, chroma: true };

describeEngine(['postgres', 'redis', 'chroma'], () => {
  it('lose nothing, do nothing twice, and fail only as they may', { timeout: 300_000 }, async () => {
    await underLoad(ALL, async (cluster, load, random) => {
      await hubKilled(cluster, load, PACE, random.pick(cluster.hubs));
      await postgresAway(cluster, load, PACE, 'stop');
      await postgresAway(cluster, load, PACE, 'kill');
      await chromaAway(cluster, load, PACE);
      // Last: hubs cache again some time after Redis has started.
      await redisAway(cluster, load, PACE);
      await allAway(cluster, load, PACE, random);
    });
  });
});
