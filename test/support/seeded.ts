// A generator of pseudo-random numbers with a seed, so that a run that failed can be repeated.

export interface Seeded {
  readonly seed: number;
  /** 0 up to but not including `count`. */
  below(count: number): number;
  pick<T>(items: readonly T[]): T;
  /** A word nobody else has, too far from others to be taken for a typo of one. */
  word(): string;
  /** A generator of its own, so that concurrent users do not disturb each other's order. */
  fork(): Seeded;
}

/** Mulberry32 (public domain, Tommy Ettinger). HAIVEMIND_TEST_SEED repeats an earlier run. */
export function seeded(seed: number = Number(process.env.HAIVEMIND_TEST_SEED ?? Date.now() % 0xffffffff)): Seeded {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  };
  const random: Seeded = {
    seed,
    below: (count) => Math.floor((next() / 2 ** 32) * count),
    pick: (items) => items[random.below(items.length)] as (typeof items)[number],
    word: () => Array.from({ length: 14 }, () => random.pick([...'bcdfghjklmnpqrstvwxz'])).join(''),
    fork: () => seeded(next()),
  };
  return random;
}

const WORDS =
  'ingress kernel replica quota certificate gateway shard failover latency heap volume broker ledger probe tunnel rollout cache mirror snapshot throttle'.split(
    ' ',
  );

/** A sentence of words of the trade around a token that occurs nowhere else. */
export function sentence(random: Seeded, token: string): string {
  const words = Array.from({ length: 6 + random.below(20) }, () => random.pick(WORDS));
  words.splice(random.below(words.length), 0, token);
  return words.join(' ');
}
