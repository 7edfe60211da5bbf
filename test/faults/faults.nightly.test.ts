// The long outages: a minute without Chroma, PostgreSQL away for longer than calls wait for it, and faults in any order.
import { expect, it } from 'vitest';
import { describeEngine } from '../engines/suites.ts';
import { seeded } from '../support/seeded.ts';
import { allAway, chromaAway, hubKilled, postgresAway, redisAway } from './scenarios.ts';
import { type Faults, underLoad } from './under-load.ts';

const ALL = { hubs: 3, redis: true, chroma: true };
const PACE = { writes: 60, away_ms: 3_000 };
const SEEDS = 5;
const FAULTS_EACH = 8;
const TIMEOUT_MS = 30 * 60_000;

const FAULTS: readonly Faults[] = [
  (cluster, load) => redisAway(cluster, load, PACE),
  (cluster, load) => chromaAway(cluster, load, PACE),
  (cluster, load) => postgresAway(cluster, load, PACE, 'stop'),
  (cluster, load) => postgresAway(cluster, load, PACE, 'kill'),
  (cluster, load, random) => hubKilled(cluster, load, PACE, random.pick(cluster.hubs)),
  (cluster, load, random) => allAway(cluster, load, PACE, random),
];

describeEngine(['postgres', 'redis', 'chroma'], () => {
  it('a minute of writes without Chroma', { timeout: TIMEOUT_MS }, () =>
    underLoad(ALL, (cluster, load) => chromaAway(cluster, load, { writes: 200, away_ms: 60_000 })),
  );

  it(
    'PostgreSQL away for longer than a call waits: calls say so, and nothing else happens',
    { timeout: TIMEOUT_MS },
    () =>
      underLoad(ALL, async (cluster, load) => {
        await postgresAway(cluster, load, { writes: 60, away_ms: 25_000 }, 'kill');
        expect(load.failures.length).toBeGreaterThan(0);
      }),
  );

  it('Redis away for a minute', { timeout: TIMEOUT_MS }, () =>
    underLoad(ALL, async (cluster, load) => {
      await redisAway(cluster, load, { writes: 200, away_ms: 60_000 });
      // Hubs cache again after some time; what they cache is right.
      await redisAway(cluster, load, { writes: 200, away_ms: 1_000 });
    }),
  );

  const first = seeded();
  it.each(Array.from({ length: SEEDS }, () => first.fork().seed))(
    'faults in any order, seed %i',
    { timeout: TIMEOUT_MS },
    (seed) =>
      underLoad(
        ALL,
        async (cluster, load, random) => {
          for (let i = 0; i < FAULTS_EACH; i++) await random.pick(FAULTS)(cluster, load, random);
        },
        seed,
      ),
  );
});
