// Times of repeated steps: the smallest is nearest to a quiet machine, the percentiles are what a user of this one sees.

export interface Summary {
  readonly count: number;
  readonly min_ms: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  /** Steps finished per second of wall time, all clients together. */
  readonly per_second: number;
}

/** Summarises durations; `wall_ms` is how long all of them took together. */
export function summarise(durations_ms: readonly number[], wall_ms: number): Summary {
  const sorted = [...durations_ms].sort((a, b) => a - b);
  return {
    count: sorted.length,
    min_ms: sorted[0] ?? Number.NaN,
    p50_ms: quantile(sorted, 0.5),
    p95_ms: quantile(sorted, 0.95),
    per_second: (sorted.length / wall_ms) * 1000,
  };
}

/** Nearest-rank quantile of sorted values; NaN of none. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Runs `step` `count` times one after the other, after `warmup` runs that are not counted. */
export async function timed(
  count: number,
  step: (i: number) => unknown,
  { warmup = 3 }: { readonly warmup?: number } = {},
): Promise<Summary> {
  for (let i = 0; i < warmup; i++) await step(i);
  const durations: number[] = [];
  const begun = performance.now();
  for (let i = 0; i < count; i++) {
    const started = performance.now();
    await step(warmup + i);
    durations.push(performance.now() - started);
  }
  return summarise(durations, performance.now() - begun);
}

/** The same with several clients at once, each with one step in flight; `count` steps all together. */
export async function timedInParallel(
  clients: number,
  count: number,
  step: (client: number, i: number) => Promise<unknown>,
  warmup = 2,
): Promise<Summary> {
  const each = Math.max(1, Math.round(count / clients));
  const durations: number[] = [];
  const all = Array.from({ length: clients }, (_, client) => client);
  await Promise.all(
    all.map(async (client) => {
      for (let i = 0; i < warmup; i++) await step(client, i);
    }),
  );
  const begun = performance.now();
  await Promise.all(
    all.map(async (client) => {
      for (let i = 0; i < each; i++) {
        const started = performance.now();
        await step(client, warmup + i);
        durations.push(performance.now() - started);
      }
    }),
  );
  return summarise(durations, performance.now() - begun);
}
