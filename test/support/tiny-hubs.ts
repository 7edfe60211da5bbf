// What hubs share, in one process: sessions in a map and messages over a bus, for runtimes without a store.
import { systemClock } from '../../src/kernel/clock.ts';
import { createRelay } from '../../src/runtime/relay.ts';
import { createRelaySeal } from '../../src/runtime/relay-seal.ts';
import { createInProcessCoordination } from '../../src/storage/coordination/in-process.ts';
import type { Coordination } from '../../src/storage/coordination/port.ts';
import type { McpSessionRecord, McpSessionStore, Relay } from '../../src/surfaces/runtime.ts';

export interface TinyHubs {
  readonly mcpSessions: McpSessionStore;
  readonly records: Map<string, McpSessionRecord>;
  /** Announces a resource to the runtimes of all hubs. */
  announce(uri: string): void;
  onAnnounced(listener: (uri: string) => void): () => void;
  /** The way of one hub to the others. */
  join(member_id: string): Relay;
  /** Messages are lost from now on, until the others are told that there was a gap. */
  interrupt(): void;
  restore(): void;
}

export function tinyHubs(): TinyHubs {
  const listeners = new Set<(uri: string) => void>();
  const gaps = new Set<() => void>();
  const leases = { acquire: async () => undefined };
  const bus = createInProcessCoordination({ leases, clock: systemClock, member_id: 'bus' });
  const records = new Map<string, McpSessionRecord>();
  let interrupted = false;
  return {
    records,
    mcpSessions: sessionsIn(records),
    announce(uri) {
      for (const listener of listeners) listener(uri);
    },
    onAnnounced(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    join: (member_id) =>
      createRelay(
        {
          member_id,
          subscribe: bus.subscribe,
          publish: async (channel, message) => (interrupted ? undefined : bus.publish(channel, message)),
          onGap(listener) {
            gaps.add(listener);
            return () => gaps.delete(listener);
          },
        } satisfies Pick<Coordination, 'member_id' | 'publish' | 'subscribe' | 'onGap'>,
        createRelaySeal('made-up', systemClock),
      ),
    interrupt() {
      interrupted = true;
    },
    restore() {
      interrupted = false;
      for (const listener of gaps) listener();
    },
  };
}

function sessionsIn(records: Map<string, McpSessionRecord>): McpSessionStore {
  const seen = () => ({ last_seen_at_ms: Date.now() });
  return {
    async create(record) {
      records.set(record.session_id, { ...record, ...seen() });
    },
    load: async (session_id) => records.get(session_id),
    async change(session_id, change) {
      const record = records.get(session_id);
      if (record) records.set(session_id, { ...record, ...seen(), state: change(record.state) });
      return record !== undefined;
    },
    touch: async (session_ids) => new Set(session_ids.filter((session_id) => records.has(session_id))),
    async remove(session_id) {
      records.delete(session_id);
    },
  };
}
