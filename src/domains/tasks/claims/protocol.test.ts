// The claim protocol holds whatever agents do, in whatever order, at whatever moment.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { plans, runPlan } from '../../../../test/support/claim-protocol.ts';
import { type App, openApp } from '../../../../test/support/open-app.ts';
import { onPostgres } from '../../../../test/support/test-store.ts';

/** On PostgreSQL every step waits for a server, and the rules are the same. */
const RUNS = onPostgres ? 50 : 200;

let app: App;
beforeAll(async () => {
  app = await openApp();
});
afterAll(() => app[Symbol.asyncDispose]());

test('a task is never held twice, never written with an old token, and never lost', { timeout: 240_000 }, async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      runs++;
      await runPlan(app, plan);
    }),
    { numRuns: RUNS },
  );
  expect(runs).toBeGreaterThanOrEqual(RUNS);
});
