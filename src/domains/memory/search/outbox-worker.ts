// Brings what the outbox names to the vector index that another program holds.
import type { VectorServer } from '../../../storage/vectors/servers/port.ts';
import type { MemoryDatabase } from '../repository.ts';
import { type Model, readIndexed } from './indexed-rows.ts';
import { type Claim, claimChanges, postponeChanges, settleChanges } from './outbox.ts';

const BATCH_COUNT = 128;
/** How long rows wait for another process where the one that claimed them was killed. */
const CLAIM_MS = 60_000;
const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 60_000;

export interface OutboxDeps {
  readonly store: MemoryDatabase;
  readonly server: Pick<VectorServer, 'put' | 'remove'>;
  readonly model: Model;
  /** Runs what asks the server; rejects without asking while the server is left alone. */
  readonly guarded: <T>(work: () => Promise<T>) => Promise<T>;
  /** Why the server is left alone, if it is. */
  readonly isAway: () => boolean;
  readonly onError: (error: unknown, row_count: number) => void;
}

/** Works off one batch. `done`: that many rows; `empty`: nothing waits for anybody now; `away`: the server is. */
export type Step = { readonly done: number } | 'empty' | 'away';

/** Makes the step of a worker. Any number of processes may run it at once; rejects where the store does. */
export function createOutboxWorker(deps: OutboxDeps): () => Promise<Step> {
  const { store, server, model, guarded, onError } = deps;

  async function bring(row_ids: readonly number[]): Promise<void> {
    const there = await readIndexed(store, model, row_ids);
    const found = new Set(there.map((memory) => memory.row_id));
    const gone = row_ids.filter((row_id) => !found.has(row_id));
    await guarded(async () => {
      if (gone.length > 0) await server.remove(gone);
      if (there.length > 0) await server.put(there);
    });
  }

  const postpone = (claims: readonly Claim[]): Promise<void> =>
    postponeChanges(
      store,
      claims,
      (attempts) => store.clock.now() + Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** (attempts - 1)),
    );

  /** After a batch failed for a reason of its own: one by one, so that one bad row keeps no other one back. */
  async function oneByOne(claims: readonly Claim[]): Promise<void> {
    for (const claim of claims) {
      try {
        await bring([claim.row_id]);
      } catch (error) {
        onError(error, 1);
        await postpone([claim]);
        continue;
      }
      await settleChanges(store, [claim]);
    }
  }

  return async () => {
    if (deps.isAway()) return 'away';
    const claims = await claimChanges(store, BATCH_COUNT, store.clock.now() + CLAIM_MS);
    if (claims.length === 0) return 'empty';
    try {
      await bring(claims.map((claim) => claim.row_id));
    } catch (error) {
      if (deps.isAway()) {
        await postpone(claims);
        return 'away';
      }
      if (claims.length > 1) await oneByOne(claims);
      else {
        onError(error, 1);
        await postpone(claims);
      }
      return { done: claims.length };
    }
    await settleChanges(store, claims);
    return { done: claims.length };
  };
}
