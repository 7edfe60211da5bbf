// Percentiles of durations, and the figures that are told of a set of them.

/** How percentiles are made, as answers say it. */
export const PERCENTILES_NOTE = 'linear interpolation between ranks (Hyndman and Fan 1996, type 7)';

export interface Spread {
  readonly count: number;
  readonly p50: number | null;
  readonly p85: number | null;
  readonly p95: number | null;
}

/**
 * The quantile of ascending values at `share` (0 to 1): linear interpolation at rank (n - 1) * share, which is type 7 of
 * R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996), and what R,
 * NumPy and spreadsheets do unless told otherwise. Undefined of nothing.
 */
export function quantile(ascending: ArrayLike<number>, share: number): number | undefined {
  const rank = (ascending.length - 1) * share;
  const below = ascending[Math.floor(rank)];
  const above = ascending[Math.ceil(rank)];
  if (below === undefined || above === undefined) return undefined;
  return below + (above - below) * (rank - Math.floor(rank));
}

const HOUR_MS = 3_600_000;

/** Milliseconds as hours, to a hundredth. */
export function hours(ms: number): number {
  return Math.round(ms / (HOUR_MS / 100)) / 100;
}

/** Durations in milliseconds as percentiles in hours. */
export function spreadOf(durations_ms: readonly number[]): Spread {
  const ascending = Float64Array.from(durations_ms).sort();
  const at = (share: number): number | null => {
    const ms = quantile(ascending, share);
    return ms === undefined ? null : hours(ms);
  };
  return { count: ascending.length, p50: at(0.5), p85: at(0.85), p95: at(0.95) };
}
