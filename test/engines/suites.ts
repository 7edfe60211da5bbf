// Suites that need a real engine: without the engine they fail by its name; a developer may skip them by a variable.
import { describe } from 'vitest';
import { type EngineName, skippedEngines } from '../../scripts/engines/skipped.ts';

/**
 * A suite for tests that start this engine by scripts/engines, which fails with the engine's name where it cannot be
 * had. `HAIVEMIND_TEST_SKIP_ENGINES=postgres,redis` skips the suites of those engines, and the last line of
 * `npm test` says which.
 */
export function describeEngine(engines: EngineName | readonly EngineName[], suite: () => void): void {
  const needed = typeof engines === 'string' ? [engines] : engines;
  const skipped = skippedEngines(process.env.HAIVEMIND_TEST_SKIP_ENGINES);
  const skip = needed.some((engine) => skipped.includes(engine));
  describe.skipIf(skip)(`with ${needed.join(' and ')}`, suite);
}
