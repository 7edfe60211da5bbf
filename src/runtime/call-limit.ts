// How many requests a caller may send, over all hubs together.
import type { Coordination } from '../storage/coordination/port.ts';
import type { CallVerdict } from '../surfaces/runtime.ts';

const WINDOW_MS = 60_000;

/** `limitCall` of the runtime; nothing where calls are not limited (0). */
export function createCallLimit(
  coordination: Pick<Coordination, 'take'>,
  calls_per_minute: number,
): { readonly limitCall?: (caller: string) => Promise<CallVerdict> } {
  if (calls_per_minute === 0) return {};
  const limit = { limit_count: calls_per_minute, window_ms: WINDOW_MS };
  return { limitCall: (caller) => coordination.take(`calls:${caller}`, limit) };
}
