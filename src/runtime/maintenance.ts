// What a hub does by itself: hourly clean-up and retention, session counts to disk, memories of what was learned. Of
// several hubs on one store one cleans up.
import { Cron } from 'croner';
import type { Sessions } from '../domains/identity/index.ts';
import { cleanUp, type MemoryDeps } from '../domains/memory/index.ts';
import type { Modes } from '../domains/modes/index.ts';
import type { Vaults } from '../domains/vaults/index.ts';
import type { Principal } from '../kernel/operation.ts';
import type { LeaseStore } from '../storage/coordination/port.ts';
import type { Log } from '../surfaces/runtime.ts';
import type { StoredMcpSessions } from './mcp-sessions.ts';
import type { Work } from './work.ts';

/** Longer than a clean-up takes, and over before the next one is due. */
const CLEAN_UP_LEASE_MS = 50 * 60 * 1000;

export interface MaintenanceDeps {
  readonly memory: MemoryDeps;
  readonly vaults: Pick<Vaults, 'purge'>;
  readonly modes: Pick<Modes, 'prune'>;
  readonly teams: { prune(): Promise<number> };
  readonly work: Pick<Work, 'prune' | 'learning' | 'tasks'>;
  readonly sessions: Sessions;
  readonly mcpSessions: Pick<StoredMcpSessions, 'prune'>;
  readonly principal: Principal;
  readonly leases: LeaseStore;
  readonly log: Log;
}

/** Starts the schedules; the returned function ends them. */
export function startMaintenance(deps: MaintenanceDeps): () => void {
  const { memory, vaults, modes, teams, work, sessions, mcpSessions, principal, leases, log } = deps;
  const guarded = (name: string, task: () => Promise<unknown>) => async () => {
    try {
      await task();
    } catch (error) {
      log.error({ task: name, err: error }, 'scheduled task failed; it runs again at its next time');
    }
  };
  const hourly = async () => {
    const lease = await leases.acquire('clean-up', CLEAN_UP_LEASE_MS);
    if (!lease) return;
    try {
      await cleanUpOnce();
    } catch (error) {
      // Where this fails too it ends by itself; the first failure is the one to tell.
      await lease.release().catch(() => undefined);
      throw error;
    }
    // Not given back: another hub whose clock is a little behind would clean up again in a moment.
  };
  const cleanUpOnce = async () => {
    const report = await cleanUp(memory, { principal, project: undefined }, 'all');
    const sessions_forgotten = (await sessions.prune()) + (await mcpSessions.prune()) + (await modes.prune());
    const team_rows_forgotten = await teams.prune();
    const work_rows_forgotten = await work.prune();
    const secrets_destroyed = await vaults.purge(principal);
    await memory.store.engine.optimise();
    const { purged, retired } = report;
    const forgotten = { sessions_forgotten, team_rows_forgotten, work_rows_forgotten };
    log.info({ purged, retired, secrets_destroyed, ...forgotten }, 'clean-up done');
  };
  const options = { protect: true, unref: true };
  const jobs = [
    new Cron('17 * * * *', options, guarded('clean-up', hourly)),
    new Cron(
      '*/10 * * * * *',
      options,
      guarded('session counts', () => sessions.flush()),
    ),
    new Cron(
      '*/5 * * * * *',
      options,
      guarded('claims that are over', () => work.tasks.sweep()),
    ),
    // What a process reported and did not live to remember.
    new Cron(
      '45 * * * * *',
      options,
      guarded('learning', () => work.learning.settle()),
    ),
  ];
  return () => {
    for (const job of jobs) job.stop();
  };
}
