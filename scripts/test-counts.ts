// Counts of vitest's JSON report, read so that nothing that went wrong can look like success.

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export const NO_COUNTS: Readonly<Counts> = { passed: 0, failed: 0, skipped: 0 };

interface Report {
  readonly numPassedTests?: number;
  readonly numFailedTests?: number;
  readonly numPendingTests?: number;
  readonly numTodoTests?: number;
  readonly testResults?: readonly {
    readonly status?: string;
    readonly assertionResults?: readonly { readonly status?: string }[];
  }[];
}

/**
 * A file that failed without a failed test (it did not load), a runner that died or reported nothing, and a run of
 * zero tests each count as one failure.
 */
export function countReport(text: string | undefined, exit_code: number | null): Counts {
  const report = parse(text);
  if (!report) return { ...NO_COUNTS, failed: 1 };
  const brokenFiles = (report.testResults ?? []).filter(
    (file) => file.status === 'failed' && !file.assertionResults?.some((test) => test.status === 'failed'),
  ).length;
  const passed = report.numPassedTests ?? 0;
  const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
  const failed = (report.numFailedTests ?? 0) + brokenFiles;
  const unexplained = failed === 0 && (exit_code !== 0 || passed === 0);
  return { passed, failed: unexplained ? 1 : failed, skipped };
}

function parse(text: string | undefined): Report | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The last line of `npm test`: `N passed, N failed`, and `, N skipped` where some were. Engines that were left out are
 * always in it, so that such a run is not taken for a whole one.
 */
export function summaryLine(counts: Readonly<Counts>, skipped_engines: readonly string[] = []): string {
  const engines = skipped_engines.length > 0 ? ` (skipped engines: ${skipped_engines.join(', ')})` : '';
  const skipped = counts.skipped > 0 || engines !== '' ? `, ${counts.skipped} skipped${engines}` : '';
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`;
}
