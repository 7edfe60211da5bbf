// Ten thousand random operations over three processes that come and go, against a model of the store.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cliPath, ensureBuilt, makePlace, type Place } from '../cli-binary.ts';
import { killLeftovers, type McpProcess, startMcp } from '../support/mcp-process.ts';
import { seeded } from '../support/seeded.ts';
import { checkStore, queuedCount } from '../support/store-check.ts';
import { compareAll, newModel, step } from '../support/store-model.ts';

const OPERATIONS = 10_000;
const PROCESSES = 3;
const IN_FLIGHT_EACH = 3;
/** After so many operations everything stops, is compared, and one process is replaced. */
const CHAPTER = 1_000;
const DEADLINE_MS = 30 * 60_000;
const QUEUE_DEADLINE_MS = 10 * 60_000;

let place: Place;

beforeAll(() => {
  ensureBuilt();
  place = makePlace();
});
afterAll(async () => {
  await killLeftovers();
  await place.remove();
});

const start = (): Promise<McpProcess> => startMcp({ cli: cliPath, env: place.env, cwd: place.home });

it(`${OPERATIONS} random operations agree with the model`, { timeout: DEADLINE_MS }, async () => {
  const random = seeded();
  const model = newModel(random);
  const processes = await Promise.all(Array.from({ length: PROCESSES }, start));
  const started_ms = performance.now();
  try {
    for (let done = 0; done < OPERATIONS; done += CHAPTER) {
      let left = CHAPTER;
      await Promise.all(
        processes.flatMap(({ ask }) =>
          Array.from({ length: IN_FLIGHT_EACH }, async () => {
            while (left-- > 0) await step(model, ask);
          }),
        ),
      );
      for (const { ask } of processes) await compareAll(model, ask);
      await replaceOne(processes, random.below(PROCESSES), random.below(2) === 0);
    }
    const took_s = (performance.now() - started_ms) / 1000;
    await expect.poll(() => queuedCount(place.data_dir), { timeout: QUEUE_DEADLINE_MS, interval: 200 }).toBe(0);
    await Promise.all(processes.map((mcp) => mcp.endInput()));
    const found = checkStore(place.data_dir);
    expect(found.problems).toEqual([]);
    const memories = [...model.memories.values()];
    expect(found.living).toBe(memories.filter(({ deleted }) => !deleted).length);
    console.log(
      `${OPERATIONS} operations in ${Math.round(took_s)} s, seed ${random.seed}: ${JSON.stringify(Object.fromEntries(model.counts))}`,
    );
  } catch (error) {
    throw new Error(`seed ${random.seed}: ${String(error)}`, { cause: error });
  }
});

/** Nothing is in flight, so even kill -9 may take nothing with it. */
async function replaceOne(processes: McpProcess[], index: number, kill: boolean): Promise<void> {
  const leaving = processes[index];
  await (kill ? leaving?.signal('SIGKILL') : leaving?.endInput());
  processes[index] = await start();
}
