// The short way to `tasks ready` and `tasks board`, which scripts and prompts call over and over: without the tree of all
// commands, whose schemas take longer to load than a hub takes to answer. What it does not understand goes the long way.
import { parseArgs } from 'node:util';
import type { CliContext } from '../contract.ts';

const EVERYWHERE = {
  json: { type: 'boolean' },
  'no-color': { type: 'boolean' },
  'data-dir': { type: 'string' },
  config: { type: 'string' },
  project: { type: 'string' },
  limit: { type: 'string' },
} as const;

const OF_BOARD = { stories: { type: 'boolean' }, ids: { type: 'boolean' } } as const;

/** The exit code; undefined where the words are for the command parser: help, a slip of the pen. */
export async function runQuickly([verb, ...words]: readonly string[], ctx: CliContext): Promise<number | undefined> {
  if (verb !== 'ready' && verb !== 'board') return undefined;
  const flags = flagsIn(verb, words);
  if (!flags) return undefined;
  const { runBoard, runReady } = await import('./tasks.ts');
  return verb === 'ready' ? runReady(flags, ctx) : runBoard(flags, ctx);
}

function flagsIn(verb: 'ready' | 'board', words: readonly string[]) {
  try {
    const options = verb === 'board' ? { ...EVERYWHERE, ...OF_BOARD } : EVERYWHERE;
    const { values } = parseArgs({ args: [...words], options, allowPositionals: false, strict: true });
    const { 'no-color': plain, 'data-dir': dataDir, ...rest } = values as Record<string, string | boolean | undefined>;
    return {
      ...rest,
      ...(plain ? { color: false } : {}),
      ...(dataDir === undefined ? {} : { dataDir: String(dataDir) }),
    };
  } catch {
    return undefined;
  }
}
