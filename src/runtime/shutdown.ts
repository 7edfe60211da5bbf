// Ending well: calls in flight finish, what was acknowledged gets its vector or is given back, then the store closes.
import type { Sessions } from '../domains/identity/index.ts';
import type { MemoryDomain } from '../domains/memory/index.ts';
import type { Executor } from '../kernel/execute.ts';
import { limits } from '../kernel/limits.ts';
import type { Database } from '../storage/database.ts';
import type { Embedder } from '../storage/embedding/port.ts';
import type { Log, OpenOptions } from '../surfaces/runtime.ts';

export interface ShutdownDeps {
  readonly role: OpenOptions['role'];
  readonly executor: Executor;
  readonly memory: MemoryDomain;
  readonly sessions: Sessions;
  readonly embedder: Embedder;
  readonly store: Database;
  readonly stopMaintenance: () => void;
  readonly log: Log;
}

export async function shutDown(deps: ShutdownDeps): Promise<void> {
  deps.stopMaintenance();
  await deps.executor.drained();
  // A command that stored something leaves it complete; a server's queue is taken over by the next process.
  if (deps.role === 'command')
    await deps.memory.follower.idle(AbortSignal.timeout(limits.shutdown_grace_ms)).catch(() => {});
  await deps.memory.follower.stop();
  await deps.sessions.flush().catch((error: unknown) => deps.log.warn({ err: error }, 'session counts were not saved'));
  await deps.embedder[Symbol.asyncDispose]();
  await deps.store.close();
}
