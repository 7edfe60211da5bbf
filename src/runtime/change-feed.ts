// Tells subscribers which resources changed in this process.
import { memoryUri } from './resources.ts';

export interface ChangeFeed {
  readonly memoryChanged: (memory_id: string) => void;
  readonly subscribe: (listener: (uri: string) => void) => () => void;
}

export function createChangeFeed(): ChangeFeed {
  const listeners = new Set<(uri: string) => void>();
  return {
    memoryChanged(memory_id) {
      for (const listener of listeners) listener(memoryUri(memory_id));
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
