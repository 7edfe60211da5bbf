// The runtime's door to comparing vectors with the rows: what `haivemind reindex` and `haivemind doctor` call.
import type { MemoryDomain } from '../domains/memory/index.ts';
import type { LocalRuntime } from '../surfaces/runtime.ts';
import { driftCheck } from './vector-index.ts';

export function createReindex(memory: MemoryDomain): Pick<LocalRuntime, 'reindex' | 'checkIndex'> {
  return {
    reindex: (options, onProgress, signal) => memory.index.reindex(options, onProgress, signal),
    checkIndex: (signal) => driftCheck(memory, signal),
  };
}
