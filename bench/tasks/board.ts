// The board of the bench: stories and their tickets with dependencies, from a fixed seed, as a file that is imported.

export interface BoardSize {
  readonly tasks: number;
  readonly edges: number;
}

/** As the aims are stated: 10,000 tasks, 20,000 dependencies. */
export const FULL: BoardSize = { tasks: 10_000, edges: 20_000 };

const STORY_EVERY = 50;
/** Dependencies reach back over so many tickets. */
const REACH = 120;
/** One ticket in so many waits for nothing: about as many are ready at the start. */
const FREE_EVERY = 10;

const WORDS = [
  'search',
  'backup',
  'proxy',
  'queue',
  'shard',
  'index',
  'certificate',
  'disk',
  'alert',
  'cache',
] as const;
const DEEDS = [
  'Tune',
  'Move',
  'Measure',
  'Replace',
  'Document',
  'Restart',
  'Secure',
  'Split',
  'Watch',
  'Test',
] as const;

/** Name of a task of the board. */
export const nameOf = (i: number): string => `bench:${i}`;
export const isStory = (i: number): boolean => i % STORY_EVERY === 0;
export const isFree = (i: number): boolean => i % FREE_EVERY === 1;

/** JSON Lines of the own format. Exactly `tasks` tasks and `edges` dependencies; no circles. */
export function boardFile({ tasks, edges }: BoardSize, seed = 1): string {
  const random = randomFrom(seed);
  const waits = Array.from({ length: tasks }, () => new Set<number>());
  const free = (i: number) => isStory(i) || isFree(i);
  for (let left = edges; left > 0; ) {
    const i = 2 + Math.floor(random() * (tasks - 2));
    const on = i - 1 - Math.floor(random() * Math.min(REACH, i - 1));
    const own = waits[i];
    // Stories wait by their tickets alone: an edge to a story would make most of the board wait for all of it.
    if (!own || free(i) || isStory(on) || own.has(on) || own.size >= 6) continue;
    own.add(on);
    left--;
  }
  const lines = Array.from({ length: tasks }, (_, i) => {
    const story = i - (i % STORY_EVERY);
    const word = WORDS[Math.floor(random() * WORDS.length)] ?? 'search';
    const deed = DEEDS[Math.floor(random() * DEEDS.length)] ?? 'Tune';
    return JSON.stringify({
      external_id: nameOf(i),
      title: isStory(i) ? `Story ${i}: ${word}` : `${deed} the ${word} of host ${i}`,
      description: `What is known about the ${word} so far, and what it should be like afterwards; ticket ${i} of the bench.`,
      priority: (['critical', 'high', 'medium', 'low'] as const)[Math.floor(random() * 4)],
      parent: isStory(i) ? null : nameOf(story),
      depends_on: [...(waits[i] ?? [])].map(nameOf),
      tags: [word],
    });
  });
  return lines.join('\n');
}

/** Tasks that anybody can claim, and nothing else. */
export function readyFile(count: number, tag: string): string {
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({ external_id: `bench:${tag}-${i}`, title: `Ready ${tag} ${i}`, tags: [tag] }),
  );
  return lines.join('\n');
}

/** Numbers between 0 and 1: the generator of G. Steele, D. Lea and C. Flood, "Fast Splittable Pseudorandom Number Generators" (2014), in 32 bits. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}
