// Tells subscribers which resources changed, whichever process of the store changed them.
import type { Coordination } from '../storage/coordination/port.ts';
import { memoryUri } from './resources.ts';

export interface ChangeFeed {
  readonly memoryChanged: (memory_id: string) => void;
  readonly subscribe: (listener: (uri: string) => void) => () => void;
}

const CHANNEL = 'memory-changed';

export function createChangeFeed(coordination: Pick<Coordination, 'publish' | 'subscribe'>): ChangeFeed {
  return {
    memoryChanged(memory_id) {
      // Nobody waits for others to have heard of a change that is made.
      void coordination.publish(CHANNEL, memory_id);
    },
    subscribe: (listener) => coordination.subscribe(CHANNEL, (memory_id) => listener(memoryUri(memory_id))),
  };
}
