// Tells subscribers which records changed, whichever process of the store changed them.
import type { Coordination } from '../storage/coordination/port.ts';

/** Records whose changes are told. `inbox`: an agent's messages, by the agent's id. */
export const CHANGE_KINDS = ['memory', 'task', 'agent', 'inbox', 'project'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export interface ChangeFeed {
  /** After the commit. Nobody waits for others to have heard of it. */
  changed(kind: ChangeKind, id: string): void;
  /** Returns the way to stop. */
  subscribe(listener: (kind: ChangeKind, id: string) => void): () => void;
}

const CHANNEL = 'record-changed';

export function createChangeFeed(coordination: Pick<Coordination, 'publish' | 'subscribe'>): ChangeFeed {
  return {
    changed(kind, id) {
      void coordination.publish(CHANNEL, `${kind} ${id}`);
    },
    subscribe: (listener) =>
      coordination.subscribe(CHANNEL, (message) => {
        const space = message.indexOf(' ');
        const kind = CHANGE_KINDS.find((known) => known === message.slice(0, space));
        if (kind) listener(kind, message.slice(space + 1));
      }),
  };
}
