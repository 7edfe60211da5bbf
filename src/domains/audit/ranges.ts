// Sets of whole numbers as ascending ranges: row numbers that were erased, as an audit row lists them.

/** Both ends included. */
export type Range = [from: number, to: number];

/** Adds a number that is larger than all so far. */
export function push(ranges: Range[], value: number): void {
  const last = ranges.at(-1);
  if (last && last[1] + 1 === value) last[1] = value;
  else ranges.push([value, value]);
}

/** `3-5,9`. */
export function toText(ranges: readonly Range[]): string {
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** Reads `toText`; anything else in it is passed over. */
export function parse(text: string): Range[] {
  const ranges = text.split(',').flatMap((part): Range[] => {
    const [, from, to] = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(part) ?? [];
    return from === undefined ? [] : [[Number(from), Number(to ?? from)]];
  });
  return ranges.filter(([from, to]) => from <= to).toSorted(([a], [b]) => a - b);
}

/** What is left of `ranges` without `taken`; both ascend. */
export function without(ranges: readonly Range[], taken: readonly Range[]): Range[] {
  const left: Range[] = [];
  let next = 0;
  for (const [from, to] of ranges) {
    let start = from;
    while (next < taken.length && (taken[next]?.[1] ?? 0) < start) next++;
    for (let i = next; start <= to; i++) {
      const [low, high] = taken[i] ?? [to + 1, to + 1];
      if (low > start) left.push([start, Math.min(to, low - 1)]);
      start = Math.max(start, high + 1);
      if (low > to) break;
    }
  }
  return left;
}
