// The order of related knowledge.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { preferred } from './related.ts';
import type { RelatedKnowledge } from './types.ts';

const knowledge = fc
  .array(
    fc.record({
      category: fc.constantFrom('runbooks', 'incidents', 'global', 'infrastructure'),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { maxLength: 20 },
  )
  .map((all) =>
    all.map(({ category, score }, i): RelatedKnowledge => {
      const rest = { content: '', agent_id: 'a', machine_id: 'm', created_at: '' };
      return { memory_id: `mem_${i}`, category, score, ...rest };
    }),
  );

test('nothing stands before what scores clearly more, and of equals a procedure is first', () => {
  fc.assert(
    fc.property(knowledge, (found) => {
      const order = preferred(found);
      for (const [i, first] of order.entries())
        for (const later of order.slice(i + 1)) {
          expect(first.score * 1.05).toBeGreaterThanOrEqual(later.score * (1 - 1e-9));
          const procedure = ({ category }: RelatedKnowledge) => category === 'runbooks' || category === 'incidents';
          if (procedure(later) && !procedure(first)) expect(first.score).toBeGreaterThanOrEqual(later.score);
        }
      if (found.length > 0) expect(order.length).toBeGreaterThan(0);
    }),
  );
});
