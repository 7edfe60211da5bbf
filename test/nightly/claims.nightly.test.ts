// Ten thousand plans of the claim protocol.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plans, runPlan } from '../support/claim-protocol.ts';
import { openApp } from '../support/open-app.ts';

const RUNS = 10_000;
/** What earlier plans left behind slows nothing down, and a fresh store now and then shows that. */
const RUNS_PER_STORE = 500;
const DEADLINE_MS = 60 * 60_000;

test(`the claim protocol holds in ${RUNS} plans`, { timeout: DEADLINE_MS }, async () => {
  let runs = 0;
  while (runs < RUNS) {
    await using app = await openApp();
    const property = fc.asyncProperty(plans, async (plan) => {
      runs++;
      await runPlan(app, plan);
    });
    await fc.assert(property, { numRuns: RUNS_PER_STORE });
  }
  expect(runs).toBeGreaterThanOrEqual(RUNS);
});
