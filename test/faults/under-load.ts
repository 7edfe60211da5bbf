// Runs faults on a cluster while clients work, then holds the store against what the clients were told.
import { type Seeded, seeded } from '../support/seeded.ts';
import { mcpCaller, restCaller } from './callers.ts';
import { checkAll, checkIndex } from './checks.ts';
import { type Cluster, type ClusterOptions, startCluster } from './cluster.ts';
import { type Load, startLoad } from './load.ts';

export type Faults = (cluster: Cluster, load: Load, random: Seeded) => Promise<void>;

/** Rejects with the seed where something is not as it must be. */
export async function underLoad(options: ClusterOptions, faults: Faults, seed?: number): Promise<void> {
  const random = seeded(seed);
  await using cluster = await startCluster(options);
  const load = startLoad([restCaller(cluster), mcpCaller(cluster, 'one'), mcpCaller(cluster, 'two')], random);
  try {
    await faults(cluster, load, random);
    await load.stop();
    await checkAll(cluster, load.entries);
    if (options.chroma) await checkIndex(cluster, load.entries);
  } catch (error) {
    throw new Error(`seed ${random.seed}: ${String(error)}`, { cause: error });
  } finally {
    await load.stop().catch(() => undefined);
  }
}
