// One run: makes the board, measures each way of reaching it, lets claimers compete, starts the shell command.
import { openRuntime } from '../../src/compose.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type BenchClient, stdioClient } from '../speed/clients.ts';
import { makePlace, type Place, projectRoot } from '../speed/place.ts';
import { type Summary, timed } from '../speed/stats.ts';
import { type BoardSize, boardFile, isFree, nameOf, readyFile } from './board.ts';
import { measureFloors, type TaskFloors } from './floors.ts';
import { type Race, race, raceOfProcesses } from './race.ts';
import { type Call, type Ids, measureSteps, type Step, type StepCounts } from './steps.ts';

export const CLAIMERS = 12;

export interface Counts extends StepCounts {
  /** Tasks the claimers compete for. */
  readonly ready: number;
  /** Starts of the shell command. */
  readonly starts: number;
}

export type Way = 'in process' | 'MCP stdio, by hub';

export interface Measured {
  readonly size: BoardSize;
  readonly floors: TaskFloors;
  readonly import_seconds: number;
  readonly ways: readonly { readonly way: Way; readonly steps: ReadonlyMap<Step, Summary> }[];
  readonly races: readonly (Race & { readonly way: Way })[];
  /** `haivemind tasks ready` as a process, beside the hub. */
  readonly cli: Summary;
}

export async function measureTasks(size: BoardSize, counts: Counts, say: (text: string) => void): Promise<Measured> {
  const floors = await measureFloors(counts.calls);
  const place = makePlace();
  try {
    say(`making a board of ${size.tasks} tasks and ${size.edges} dependencies`);
    const within = await measureWithin(place, size, counts, say);
    const hub = await place.startHub();
    try {
      const { steps, ids: _, ...beside } = await measureBeside(place, within.ids, counts, say);
      return {
        ...{ size, floors, import_seconds: within.import_seconds },
        ways: [
          { way: 'in process', steps: within.steps },
          { way: 'MCP stdio, by hub', steps },
        ],
        races: [
          { way: 'in process', ...within.race },
          { way: 'MCP stdio, by hub', ...beside.race },
        ],
        cli: beside.cli,
      };
    } finally {
      await hub.stop();
    }
  } finally {
    place.remove();
  }
}

/** The executor of this process, without any transport. */
async function measureWithin(place: Place, size: BoardSize, counts: Counts, say: (text: string) => void) {
  const runtime = await openRuntime(loadConfig(place.env, projectRoot), { role: 'command' });
  const callAs =
    (agent: string): Call =>
    async (name, input) => {
      const result = await runtime.executor.execute(name, input, {
        principal: runtime.localPrincipal(agent),
        session: { key: `ses_${agent}`, transport: 'stdio' },
        request_id: 'bench',
        signal: new AbortController().signal,
        reportProgress: () => {},
      });
      return result.output;
    };
  try {
    const call = callAs('bench');
    const begun = performance.now();
    await importAll(call, boardFile(size));
    const import_seconds = (performance.now() - begun) / 1000;
    const ids = await idsOf(call, size);
    say('in process');
    const steps = await measureSteps(call, ids, counts);
    await importAll(call, readyFile(counts.ready, 'within'));
    const claimers = Array.from({ length: CLAIMERS }, (_, i) => callAs(`claimer-${i}`));
    const result = await race(claimers, 'within', counts.ready);
    await importAll(call, readyFile(counts.ready, 'beside'));
    return { ids, import_seconds, steps, race: result };
  } finally {
    await runtime.executor.drained();
    await runtime.close();
  }
}

/** Clients in processes of their own, and the hub that answers them. */
async function measureBeside(place: Place, ids: Ids, counts: Counts, say: (text: string) => void) {
  say('through MCP over stdio, by hub');
  const client: BenchClient = await stdioClient(place.env);
  try {
    const steps = await measureSteps((name, input) => client.call(name as never, input), ids, counts);
    say(`${CLAIMERS} claimers`);
    const result = await raceOfProcesses(place, CLAIMERS, 'beside', counts.ready);
    say('haivemind tasks ready');
    const cli = await timed(counts.starts, () => place.run(['tasks', 'ready']), { warmup: 1 });
    return { ids, steps, race: result, cli };
  } finally {
    await client.close();
  }
}

async function importAll(call: Call, content: string): Promise<void> {
  const { problems, failed } = (await call('import_tasks', { content, format: 'json' })) as {
    problems: unknown[];
    failed: number;
  };
  if (failed > 0 || problems.length > 0)
    throw new Error(`The board was not imported whole: ${JSON.stringify(problems[0])}`);
}

/** Ids of tasks by their names on the board, through the door everybody has. */
async function idsOf(call: Call, size: BoardSize): Promise<Ids> {
  const ids = new Map<string, string>();
  const waits = new Map<string, readonly string[]>();
  let cursor: string | null = null;
  do {
    const page = await call('export_tasks', { limit: 2_000, ...(cursor === null ? {} : { cursor }) });
    for (const line of String(page.content).trim().split('\n')) {
      const item = JSON.parse(line) as { external_id?: string; depends_on?: string[] };
      if (item.external_id !== undefined) waits.set(item.external_id, item.depends_on ?? []);
    }
    cursor = page.next_cursor as string | null;
  } while (cursor !== null);
  for (cursor = null; ; ) {
    const page = await call('list_kanban_tasks', {
      order: 'created',
      limit: 500,
      ...(cursor === null ? {} : { cursor }),
    });
    for (const { task_id, title } of page.tasks as { task_id: string; title: string }[]) {
      const number = /(\d+)/.exec(title)?.[1];
      if (number !== undefined) ids.set(nameOf(Number(number)), task_id);
    }
    cursor = page.next_cursor as string | null;
    if (cursor === null) break;
  }
  const free = Array.from({ length: size.tasks }, (_, i) => i).filter(isFree);
  return {
    free: free.flatMap((i) => ids.get(nameOf(i)) ?? []),
    chain: longChain(waits).flatMap((name) => ids.get(name) ?? []),
  };
}

/** Names from a task that waits for nothing to one that waits for it over many others. */
function longChain(waits: ReadonlyMap<string, readonly string[]>): string[] {
  const depth = new Map<string, number>();
  const before = new Map<string, string>();
  const number = (name: string) => Number(name.slice(name.indexOf(':') + 1));
  const names = [...waits.keys()].sort((a, b) => number(a) - number(b));
  let last = names[0] ?? '';
  for (const name of names) {
    depth.set(name, 0);
    for (const on of waits.get(name) ?? []) {
      if ((depth.get(on) ?? 0) + 1 <= (depth.get(name) ?? 0)) continue;
      depth.set(name, (depth.get(on) ?? 0) + 1);
      before.set(name, on);
    }
    if ((depth.get(name) ?? 0) > (depth.get(last) ?? 0)) last = name;
  }
  const chain: string[] = [];
  for (let at: string | undefined = last; at !== undefined; at = before.get(at)) chain.unshift(at);
  return chain;
}
