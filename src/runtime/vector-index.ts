// What a runtime says of the index of vectors that another program holds, and mending it.
import type { DriftReport, MemoryDomain } from '../domains/memory/index.ts';
import { toErrorBody } from '../kernel/errors.ts';
import type { HealthCheck } from '../surfaces/runtime.ts';

const CHANGES_WAITING_WARN_COUNT = 5_000;
const CATCHES_UP = 'The index catches up by itself when it answers.';
const BY_WORDS = 'Memories are found by their words meanwhile.';

/** Whether the index answers, which version it is, how fast, and what waits for it. None where it is in this process. */
export async function vectorIndexChecks({ vectors }: MemoryDomain): Promise<HealthCheck[]> {
  if (vectors.kind === 'embedded') return [];
  const name = 'vector index';
  const pending = await vectors.pending();
  const waiting = pending === 1 ? '1 change waits for it' : `${pending} changes wait for it`;
  const place = `${vectors.kind} at ${vectors.place}`;
  try {
    const state = await vectors.check();
    const detail = `${place}: version ${state?.version}, answers in ${state?.latency_ms.toFixed(1)} ms; ${waiting}`;
    const trouble = vectors.trouble();
    if (trouble) return [{ name, status: 'degraded', detail: `${trouble.message} ${detail}.`, fix: trouble.hint }];
    const { index, store } = state?.counted ?? { index: 0, store: 0 };
    if (index !== store)
      return [{ name, status: 'degraded', detail: `${detail}; ${index} of ${store} vectors`, fix: MEND }];
    const behind = (await vectors.pending()) >= CHANGES_WAITING_WARN_COUNT;
    return [
      behind ? { name, status: 'degraded', detail, fix: `${BY_WORDS} ${CATCHES_UP}` } : { name, status: 'ok', detail },
    ];
  } catch (error) {
    const { message, hint } = toErrorBody(error);
    return [{ name, status: 'degraded', detail: `${message} ${waiting}.`, fix: `${hint} ${CATCHES_UP}` }];
  }
}

const MEND = 'Run `haivemind reindex`, or `haivemind doctor --fix`.';

/** Compares the index with all rows. Undefined where the index is part of each process. Never rejects but by the signal. */
export async function driftCheck({ index }: MemoryDomain, signal: AbortSignal): Promise<HealthCheck | undefined> {
  const name = 'vector index drift';
  try {
    const found = await index.drift(signal);
    if (!found) return undefined;
    const { memories, pending } = found;
    const compared = `${memories} memories compared, ${pending === 1 ? '1 change' : `${pending} changes`} on the way`;
    if (found.missing + found.stale + found.surplus === 0) return { name, status: 'ok', detail: compared };
    return { name, status: 'degraded', detail: `${describe(found)}; ${compared}`, fix: MEND };
  } catch (error) {
    signal.throwIfAborted();
    const { message, hint } = toErrorBody(error);
    return { name, status: 'degraded', detail: message, fix: hint };
  }
}

function describe({ missing, stale, surplus, examples }: DriftReport): string {
  const parts = [`${missing} missing in the index`, `${stale} stale`, `${surplus} surplus`];
  return `${parts.join(', ')} (${examples.join(', ')})`;
}
