// Scores: within bounds, moved the right way by every fact, absent where there is nothing to measure.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  backupScore,
  driftScore,
  type FlowFacts,
  flowScore,
  incidentScore,
  knowledgeScore,
  stalenessScore,
  totalScore,
} from './health-scores.ts';

const DAY_MS = 86_400_000;
const count = fc.nat(200);

/** Counts as they can be: parts are no larger than what they are a part of. */
const flow: fc.Arbitrary<FlowFacts> = fc
  .record({ created: count, finished: count, begun: count, waiting: count })
  .chain(({ created, finished, begun, waiting }) => {
    const open = begun + waiting;
    return fc
      .record({ blocked: fc.nat(open), overdue: fc.nat(open), aged: fc.nat(begun) })
      .map((parts) => ({ created, finished, open, begun, ...parts }));
  });

const isScore = (score: number | null) => {
  if (score === null) return;
  expect(score).toBeGreaterThanOrEqual(0);
  expect(score).toBeLessThanOrEqual(100);
  expect(Number.isInteger(score)).toBe(true);
};

/** Null compares to nothing: the two have to be measured alike. */
const noBetter = (worse: number | null, better: number | null) => {
  expect(worse === null).toBe(better === null);
  if (worse !== null && better !== null) expect(worse).toBeLessThanOrEqual(better);
};

describe('task flow', () => {
  test('is a score, or nothing where there are no tasks', () => {
    fc.assert(
      fc.property(flow, (facts) => {
        const score = flowScore(facts);
        isScore(score);
        expect(score === null).toBe(facts.created + facts.finished + facts.open === 0);
      }),
    );
  });

  test('is no better with more blocked, aged or late work, and no worse with more finished', () => {
    fc.assert(
      fc.property(flow, (facts) => {
        const { blocked, overdue, aged, finished, open, begun, created } = facts;
        if (blocked < open) noBetter(flowScore({ ...facts, blocked: blocked + 1 }), flowScore(facts));
        if (overdue < open) noBetter(flowScore({ ...facts, overdue: overdue + 1 }), flowScore(facts));
        if (aged < begun) noBetter(flowScore({ ...facts, aged: aged + 1 }), flowScore(facts));
        if (created > 0) noBetter(flowScore(facts), flowScore({ ...facts, finished: finished + 1 }));
      }),
    );
  });

  test('of known cases', () => {
    const none = { created: 0, finished: 0, open: 0, blocked: 0, overdue: 0, begun: 0, aged: 0 };
    expect(flowScore(none)).toBeNull();
    expect(flowScore({ ...none, created: 10, finished: 5 })).toBe(50);
    expect(flowScore({ ...none, created: 10, finished: 10, open: 4, blocked: 4, begun: 2, aged: 1 })).toBe(63);
  });
});

test('staleness: 100 at once, half in two weeks, never rising', () => {
  expect([0, 14, 28].map((days) => stalenessScore(days * DAY_MS))).toEqual([100, 50, 25]);
  fc.assert(
    fc.property(fc.nat(10_000 * DAY_MS), fc.nat(DAY_MS), (silent_ms, more_ms) => {
      isScore(stalenessScore(silent_ms));
      expect(stalenessScore(silent_ms + more_ms)).toBeLessThanOrEqual(stalenessScore(silent_ms));
    }),
  );
});

test('incidents: nothing where none was ever recorded; each one costs, an open one more', () => {
  const quiet = { ever: 0, opened: 0, open: 0, period_ms: 30 * DAY_MS };
  expect(incidentScore(quiet)).toBeNull();
  expect(incidentScore({ ...quiet, ever: 1 })).toBe(100);
  expect(incidentScore({ ...quiet, ever: 1, open: 1, opened: 1 })).toBe(50);
  expect(incidentScore({ ...quiet, ever: 4, opened: 4 })).toBe(50);
  fc.assert(
    fc.property(fc.nat(50), fc.nat(50), fc.integer({ min: 1, max: 366 }), (closed, open, days) => {
      const facts = { ever: 1 + closed + open, opened: closed + open, open, period_ms: days * DAY_MS };
      isScore(incidentScore(facts));
      noBetter(incidentScore({ ...facts, opened: facts.opened + 1 }), incidentScore(facts));
      noBetter(incidentScore({ ...facts, opened: facts.opened + 1, open: open + 1 }), incidentScore(facts));
    }),
  );
});

test('drift: the share that is as it should be; nothing where nothing is watched', () => {
  expect(driftScore(0, 0)).toBeNull();
  expect(driftScore(4, 1)).toBe(75);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(600), (watched, drifted) => {
      isScore(driftScore(watched, drifted));
      noBetter(driftScore(watched, drifted + 1), driftScore(watched, drifted));
    }),
  );
});

test('knowledge: what finished tasks say, and a runbook; nothing where none has finished', () => {
  expect(knowledgeScore({ finished: 0, resolved: 0, runbooks: 3 })).toBeNull();
  expect(knowledgeScore({ finished: 4, resolved: 2, runbooks: 1 })).toBe(63);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(300), fc.nat(5), (finished, part, runbooks) => {
      const facts = { finished, resolved: Math.min(part, finished), runbooks };
      isScore(knowledgeScore(facts));
      noBetter(knowledgeScore(facts), knowledgeScore({ ...facts, runbooks: runbooks + 1 }));
      if (part < finished) noBetter(knowledgeScore(facts), knowledgeScore({ ...facts, resolved: part + 1 }));
    }),
  );
});

test('backup: a day is free, a month is too long', () => {
  expect([0, 1, 30, 300].map((days) => backupScore(days * DAY_MS))).toEqual([100, 100, 0, 0]);
  fc.assert(
    fc.property(fc.nat(400 * DAY_MS), fc.nat(DAY_MS), (at_risk_ms, more_ms) => {
      isScore(backupScore(at_risk_ms));
      expect(backupScore(at_risk_ms + more_ms)).toBeLessThanOrEqual(backupScore(at_risk_ms));
    }),
  );
});

test('the total lies between what was measured, and what was not measured does not count', () => {
  const dimension = fc.record({
    score: fc.option(fc.integer({ min: 0, max: 100 })),
    weight: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(fc.array(dimension), (all) => {
      const scores = all.flatMap(({ score }) => (score === null ? [] : [score]));
      const total = totalScore(all);
      if (scores.length === 0) {
        expect(total).toBeNull();
        return;
      }
      expect(total).toBeGreaterThanOrEqual(Math.min(...scores));
      expect(total).toBeLessThanOrEqual(Math.max(...scores));
      expect(totalScore([...all, { score: null, weight: 3 }])).toBe(total);
    }),
  );
});
