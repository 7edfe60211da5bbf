// The last line of `npm test` is only as good as the counts in it.
import { describe, expect, it } from 'vitest';
import { countReport, summaryLine } from '../scripts/test-counts.ts';

function report(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [],
    ...fields,
  });
}

describe('countReport', () => {
  it.each([
    ['a good run', report({ numPassedTests: 3 }), 0, { passed: 3, failed: 0, skipped: 0 }],
    [
      'skipped and planned tests',
      report({ numPassedTests: 3, numPendingTests: 1, numTodoTests: 1 }),
      0,
      { passed: 3, failed: 0, skipped: 2 },
    ],
    ['failed tests', report({ numPassedTests: 3, numFailedTests: 2 }), 1, { passed: 3, failed: 2, skipped: 0 }],
    [
      'a file that did not load',
      report({ numPassedTests: 3, testResults: [{ status: 'failed', assertionResults: [] }] }),
      1,
      { passed: 3, failed: 1, skipped: 0 },
    ],
    [
      'a file with a failed test, once',
      report({
        numPassedTests: 3,
        numFailedTests: 1,
        testResults: [{ status: 'failed', assertionResults: [{ status: 'failed' }] }],
      }),
      1,
      { passed: 3, failed: 1, skipped: 0 },
    ],
    ['an error outside all tests', report({ numPassedTests: 3 }), 1, { passed: 3, failed: 1, skipped: 0 }],
    ['a runner that was killed', report({ numPassedTests: 3 }), null, { passed: 3, failed: 1, skipped: 0 }],
    ['no tests', report({}), 0, { passed: 0, failed: 1, skipped: 0 }],
    ['only skipped tests', report({ numPendingTests: 4 }), 0, { passed: 0, failed: 1, skipped: 4 }],
    ['no report', undefined, 0, { passed: 0, failed: 1, skipped: 0 }],
    ['half a report', '{"numPassedTests": 3', 0, { passed: 0, failed: 1, skipped: 0 }],
  ])('counts %s', (_, text, code, expected) => {
    expect(countReport(text, code)).toEqual(expected);
  });
});

describe('summaryLine', () => {
  it('names skipped tests only where there are some', () => {
    expect(summaryLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(summaryLine({ passed: 12, failed: 1, skipped: 2 })).toBe('12 passed, 1 failed, 2 skipped');
  });

  it('names engines that were left out, whatever else was skipped', () => {
    const counts = { passed: 12, failed: 1, skipped: 0 };
    expect(summaryLine(counts, ['postgres', 'redis'])).toBe(
      '12 passed, 1 failed, 0 skipped (skipped engines: postgres, redis)',
    );
    expect(summaryLine({ ...counts, skipped: 2 }, ['chroma'])).toBe(
      '12 passed, 1 failed, 2 skipped (skipped engines: chroma)',
    );
  });
});
