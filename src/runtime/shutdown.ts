// Ending well: calls in flight finish, what was acknowledged gets its vector or is given back, then the store closes.
import type { Agents } from '../domains/agents/index.ts';
import type { Sessions } from '../domains/identity/index.ts';
import type { MemoryDomain } from '../domains/memory/index.ts';
import type { Executor } from '../kernel/execute.ts';
import { limits } from '../kernel/limits.ts';
import type { Coordination } from '../storage/coordination/port.ts';
import type { Database } from '../storage/database.ts';
import type { Embedder } from '../storage/embedding/port.ts';
import type { Log, OpenOptions } from '../surfaces/runtime.ts';

export interface ShutdownDeps {
  /** Vectors not made yet are left to the next process. */
  readonly abandon: boolean;
  readonly role: OpenOptions['role'];
  readonly executor: Executor;
  readonly memory: MemoryDomain;
  readonly work: { readonly agents: Pick<Agents, 'deps'> };
  readonly sessions: Sessions;
  readonly embedder: Embedder;
  readonly coordination: Coordination;
  readonly store: Database;
  readonly stopMaintenance: () => void;
  readonly log: Log;
}

/** Goes through all steps whatever fails on the way (a full disk, say): the store is closed in any case. */
export async function shutDown(deps: ShutdownDeps): Promise<void> {
  const { abandon, role, executor, memory, work, sessions, embedder, coordination, store, stopMaintenance, log } = deps;
  const step = async (task: () => Promise<unknown>, failed: string): Promise<void> => {
    try {
      await task();
    } catch (error) {
      log.warn({ err: error }, failed);
    }
  };
  stopMaintenance();
  await executor.drained();
  // A command that stored something leaves it complete; a server's queue is taken over by the next process.
  if (role === 'command' && !abandon)
    await memory.follower.settle(AbortSignal.timeout(limits.shutdown_grace_ms)).catch(() => undefined);
  await step(() => memory.follower.stop(), 'unfinished vectors were not given back; their claims end by themselves');
  await step(() => work.agents.deps.presence.stop(), 'heartbeats of agents were not saved');
  await step(() => sessions.flush(), 'session counts were not saved');
  await step(async () => embedder[Symbol.asyncDispose](), 'the embedding worker did not end');
  await step(async () => coordination[Symbol.asyncDispose](), 'the connection to other processes did not end');
  await store.close();
}
