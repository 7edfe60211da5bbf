// Claimers that compete for ready tasks: how many claims a second, and whether any task was given out twice.
import { stdioClient } from '../speed/clients.ts';
import type { Place } from '../speed/place.ts';
import type { Call } from './steps.ts';

export interface Race {
  readonly claimers: number;
  readonly claims: number;
  readonly per_second: number;
  /** Tasks that two claimers got. Has to be none. */
  readonly doubles: number;
  /** Ready tasks nobody got. Has to be none. */
  readonly left: number;
}

/** Each claimer takes tasks of this tag until there are none; all begin at once. */
export async function race(calls: readonly Call[], tag: string, ready: number): Promise<Race> {
  const taken: string[] = [];
  const begun = performance.now();
  await Promise.all(
    calls.map(async (call) => {
      for (;;) {
        const { task } = (await call('claim_next', { tags: [tag] })) as { task: { task_id: string } | null };
        if (task === null) return;
        taken.push(task.task_id);
      }
    }),
  );
  const seconds = (performance.now() - begun) / 1000;
  const doubles = taken.length - new Set(taken).size;
  return {
    claimers: calls.length,
    claims: taken.length,
    per_second: taken.length / seconds,
    doubles,
    left: ready - taken.length,
  };
}

/** The same through processes of their own, as agents run them, each registered as an agent. */
export async function raceOfProcesses(place: Place, claimers: number, tag: string, ready: number): Promise<Race> {
  const clients: Awaited<ReturnType<typeof stdioClient>>[] = [];
  try {
    for (let i = 0; i < claimers; i++) {
      const client = await stdioClient(place.env);
      clients.push(client);
      await client.call('register_agent' as never, { role: `claimer-${i}` });
    }
    const calls = clients.map(
      (client): Call =>
        (name, input) =>
          client.call(name as never, input),
    );
    return await race(calls, tag, ready);
  } finally {
    for (const client of clients) await client.close();
  }
}
