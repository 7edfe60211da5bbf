// Brings what the outbox names to the vector index that another program holds.
import type { VectorServer } from '../../../storage/vectors/servers/port.ts';
import type { MemoryDatabase } from '../repository.ts';
import { type Model, readIndexed } from './indexed-rows.ts';
import { type Claim, claimChanges, postponeChanges, releaseChanges, settleChanges } from './outbox.ts';
import { isOfServer } from './served-circuit.ts';

const BATCH_COUNT = 128;
/** How long rows wait for another process where the one that claimed them was killed. */
const CLAIM_MS = 60_000;
const PAUSE_MIN_MS = 1_000;
/** For a row that the index refuses while it takes others. */
const PAUSE_MAX_MS = 60_000;
/** For a row that was tried while the index took nothing: longer than that pauses, so that others are tried next. */
const TRIED_PAUSE_MAX_MS = 15_000;
/** After a failed batch so many rows are tried alone; where each is refused it is the server's doing and not theirs. */
const TRIED_ALONE = 2;

export interface OutboxDeps {
  readonly store: MemoryDatabase;
  readonly server: Pick<VectorServer, 'put' | 'remove'>;
  readonly model: Model;
  /** Runs what writes to the server; rejects without asking while the server is left alone. */
  readonly guarded: <T>(work: () => Promise<T>) => Promise<T>;
  /** The server is left alone: it does not answer, or takes nothing. */
  readonly isAway: () => boolean;
  /** The server answers, and refused whatever it was given: it is away from now on, for a pause. */
  readonly onRefusal: (error: unknown) => void;
  readonly onError: (error: unknown, row_count: number) => void;
}

/** Works off one batch. `done`: that many rows; `empty`: nothing waits for anybody now; `away`: the server is. */
export type Step = { readonly done: number } | 'empty' | 'away';

/** Makes the step of a worker. Any number of processes may run it at once; rejects where the store does. */
export function createOutboxWorker(deps: OutboxDeps): () => Promise<Step> {
  /** Claims at whose end the store was away itself: the next step gives them back. */
  const unended: Claim[] = [];
  return async () => {
    if (deps.isAway()) return 'away';
    const held = new Set(unended.splice(0));
    try {
      return await workOff(deps, held);
    } finally {
      unended.push(...held);
    }
  };
}

/** Gives back what is held, then works off a batch. What is held when it rejects are claims that are still to be ended. */
async function workOff(deps: OutboxDeps, held: Set<Claim>): Promise<Step> {
  const { store, isAway, onError } = deps;
  const bring = createBringer(deps);

  async function end(claims: readonly Claim[], how: typeof settleChanges): Promise<void> {
    await how(store, claims);
    for (const claim of claims) held.delete(claim);
  }
  /** Nothing was wrong with the rows: they are there for whoever comes next, at once. */
  const giveBack = (): Promise<void> => end([...held], releaseChanges);

  const postpone = (claim: Claim, pause_max_ms: number): Promise<void> =>
    end([claim], (_, claims) =>
      postponeChanges(
        store,
        claims,
        (attempts) => store.clock.now() + Math.min(pause_max_ms, PAUSE_MIN_MS * 2 ** (attempts - 1)),
      ),
    );

  async function putOff({ claim, error }: Refused): Promise<void> {
    onError(error, 1);
    await postpone(claim, PAUSE_MAX_MS);
  }

  /** After a batch failed: one by one, so that one bad row keeps no other one back, nor a server that takes nothing. */
  async function oneByOne(claims: readonly Claim[], first: Failed): Promise<Step> {
    /** Refused before any other was taken: whose doing it is, is open. */
    const open: Refused[] = [];
    let taken = false;
    for (const claim of isAway() ? [] : claims) {
      const failed = claims.length === 1 ? first : await bring([claim]);
      if (isAway()) break;
      if (failed && (taken || !isOfServer(failed.error))) await putOff({ claim, error: failed.error });
      else if (failed) {
        open.push({ claim, error: failed.error });
        if (open.length < Math.min(TRIED_ALONE, claims.length)) continue;
        deps.onRefusal(failed.error);
        break;
      } else {
        taken = true;
        await end([claim], settleChanges);
        for (const refused of open.splice(0)) await putOff(refused);
      }
    }
    for (const { claim } of open) await postpone(claim, TRIED_PAUSE_MAX_MS);
    if (held.size > 0) await giveBack();
    return isAway() ? 'away' : { done: claims.length };
  }

  if (held.size > 0) await giveBack();
  const claims = await claimChanges(store, BATCH_COUNT, store.clock.now() + CLAIM_MS);
  if (claims.length === 0) return 'empty';
  for (const claim of claims) held.add(claim);
  const failed = await bring(claims);
  if (failed) return oneByOne(claims, failed);
  await end(claims, settleChanges);
  return { done: claims.length };
}

interface Failed {
  readonly error: unknown;
}

interface Refused extends Failed {
  readonly claim: Claim;
}

/** Makes what brings the present state of rows to the index. Resolves with why the index did not take it. */
function createBringer({ store, server, model, guarded }: OutboxDeps) {
  return async (claims: readonly Claim[]): Promise<Failed | undefined> => {
    const row_ids = claims.map((claim) => claim.row_id);
    const there = await readIndexed(store, model, row_ids);
    const found = new Set(there.map((memory) => memory.row_id));
    const gone = row_ids.filter((row_id) => !found.has(row_id));
    try {
      await guarded(async () => {
        if (gone.length > 0) await server.remove(gone);
        if (there.length > 0) await server.put(there);
      });
      return undefined;
    } catch (error) {
      return { error };
    }
  };
}
