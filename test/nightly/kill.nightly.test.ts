// kill -9 a thousand times on one store, by processes that write at the same time, with a look at the store in between.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cliPath, ensureBuilt, makePlace, type Place } from '../cli-binary.ts';
import { killRounds, lostIn } from '../support/kill-rounds.ts';
import { killLeftovers, startMcp } from '../support/mcp-process.ts';
import { seeded } from '../support/seeded.ts';
import { checkStore } from '../support/store-check.ts';

const CHAPTERS = 10;
const KILLS_EACH = { stdio: 92, lanes: 4, http: 8 } as const;
const DEADLINE_MS = 60 * 60_000;

let place: Place;

beforeAll(() => {
  ensureBuilt();
  place = makePlace();
});
afterAll(async () => {
  await killLeftovers();
  await place.remove();
});

it('a thousand kills lose nothing that was acknowledged', { timeout: DEADLINE_MS }, async () => {
  const random = seeded();
  let total = 0;
  let acknowledged = 0;
  for (let chapter = 0; chapter < CHAPTERS; chapter++) {
    const { kills, ledgers } = await killRounds(place, random, KILLS_EACH);
    expect(checkStore(place.data_dir).problems, `seed ${random.seed}`).toEqual([]);
    const next = await startMcp({ cli: cliPath, env: place.env, cwd: place.home });
    expect(await lostIn(ledgers, next.ask), `seed ${random.seed}`).toEqual([]);
    await next.endInput();
    total += kills;
    acknowledged += ledgers.reduce((sum, ledger) => sum + ledger.acknowledged, 0);
  }
  expect(total).toBeGreaterThanOrEqual(1_000);
  console.log(`${total} kills, ${acknowledged} writes acknowledged; seed ${random.seed}`);
});
