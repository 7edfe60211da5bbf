// kill -9 in the middle of writes, 200 times: what was acknowledged is there, and nothing is there by half.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cliPath, ensureBuilt, makePlace, type Place } from './cli-binary.ts';
import { killRounds, lostIn } from './support/kill-rounds.ts';
import { killLeftovers, startMcp } from './support/mcp-process.ts';
import { seeded } from './support/seeded.ts';
import { checkStore, queuedCount } from './support/store-check.ts';

const STDIO_KILLS = 180;
const HUB_KILLS = 20;
const LANES = 3;
/** Claims of killed processes end by themselves; then the next process makes the vectors. */
const QUEUE_DEADLINE_MS = 60_000;

let place: Place;

beforeAll(() => {
  ensureBuilt();
  place = makePlace();
});
afterAll(async () => {
  await killLeftovers();
  await place.remove();
});

it(`keeps every acknowledged write through ${STDIO_KILLS + HUB_KILLS} kills`, { timeout: 300_000 }, async () => {
  const random = seeded();
  const { kills, ledgers } = await killRounds(place, random, { stdio: STDIO_KILLS, lanes: LANES, http: HUB_KILLS });
  expect(kills).toBe(STDIO_KILLS + HUB_KILLS);
  const after = checkStore(place.data_dir);
  expect(after.problems, `seed ${random.seed}`).toEqual([]);

  const next = await startMcp({ cli: cliPath, env: place.env, cwd: place.home });
  try {
    expect(await lostIn(ledgers, next.ask), `seed ${random.seed}`).toEqual([]);
    await expect.poll(() => queuedCount(place.data_dir), { timeout: QUEUE_DEADLINE_MS }).toBe(0);
  } finally {
    await next.endInput();
  }
  expect(checkStore(place.data_dir)).toMatchObject({ problems: [], queued: 0, living: after.living });

  const acknowledged = ledgers.reduce((sum, ledger) => sum + ledger.acknowledged, 0);
  const unanswered = ledgers.reduce((sum, ledger) => sum + ledger.unanswered, 0);
  console.log(
    `${kills} kills, ${acknowledged} writes acknowledged, ${unanswered} without an answer, ${after.queued} left without a vector; seed ${random.seed}`,
  );
});
