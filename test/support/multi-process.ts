// Several processes on one data directory, each with a name for messages and a way to call operations.
import { cliPath, type Place } from '../cli-binary.ts';
import type { Ask } from './ledger.ts';
import { type McpProcess, startMcp } from './mcp-process.ts';

export interface Member {
  readonly name: string;
  readonly ask: Ask;
  readonly mcp: McpProcess;
}

/** A stdio process; it proxies where a hub of the place runs and serves alone where none does. */
export async function stdioMember(place: Place, name: string): Promise<Member> {
  const mcp = await startMcp({ cli: cliPath, env: place.env, cwd: place.home });
  return { name, ask: mcp.ask, mcp };
}

export async function endAll(members: readonly Member[]): Promise<void> {
  await Promise.all(members.map(({ mcp }) => mcp.endInput()));
}

/** `count` calls of `work`, at most four at a time. */
export async function fourAtATime(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (next < count) await work(next++);
    }),
  );
}
