// Suites that need a real engine: without the engine they fail by its name; a developer may skip them by a variable.
import { describe, it } from 'vitest';
import { missingEngine } from '../../scripts/engines/available.ts';
import { type EngineName, skippedEngines } from '../../scripts/engines/skipped.ts';

/**
 * A suite whose tests start these engines by scripts/engines. Where one of them cannot be had it is a failing test with
 * the engine's name instead. `HAIVEMIND_TEST_SKIP_ENGINES=postgres,redis` skips the suites that need one of those, and
 * the last line of `npm test` says which.
 */
export function describeEngine(engines: EngineName | readonly EngineName[], suite: () => void): void {
  const needed = typeof engines === 'string' ? [engines] : engines;
  const skipped = skippedEngines(process.env.HAIVEMIND_TEST_SKIP_ENGINES);
  const skip = needed.some((engine) => skipped.includes(engine));
  const missing = skip ? [] : needed.map(missingEngine).filter((reason) => reason !== undefined);
  describe.skipIf(skip)(`with ${needed.join(' and ')}`, missing.length === 0 ? suite : () => failFor(missing));
}

function failFor(missing: readonly string[]): void {
  it('can be had on this machine', () => {
    throw new Error(missing.join('\n'));
  });
}
