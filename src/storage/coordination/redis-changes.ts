// Changes on their way to the store, as the shared cache on Redis is told of them, also after the event.
import { randomUUID } from 'node:crypto';
import { limits } from '../../kernel/limits.ts';
import { type Link, LinkAwayError } from './link.ts';
import type { ChangeMark } from './port.ts';
import { BEGIN, NEXT_EPOCH, SETTLE } from './redis-cache-scripts.ts';
import type { RedisConnection } from './redis-connection.ts';
import { runScript, type Script } from './redis-script.ts';

/** A script blocks the server while it runs: many keys go in several. */
const KEYS_PER_SCRIPT_COUNT = 500;
const EPOCH_MEMORY_MS = 10 * (limits.shared_cache_changing_ttl_max_ms + limits.shared_cache_ticket_ms);
const NO_MARK = '';

export interface ChangeDeps {
  readonly link: () => Link<RedisConnection> | undefined;
  readonly names: CacheNames;
}

/** Names in Redis; all under the run id of the server at hand. */
export interface CacheNames {
  value(key: string): string;
  ticket(key: string): string;
  marks(key: string): string;
  epoch(): string;
}

export interface Changes {
  begin(keys: readonly string[]): Promise<ChangeMark>;
  /** What must reach the server before it is used again after an outage; undefined where nothing is left to do. */
  catchUp(client: RedisConnection): Promise<void> | undefined;
  /** The connection was lost: marks that stand must be set again. */
  lost(): void;
}

interface OpenChange {
  readonly keys: readonly string[];
  marked: boolean;
}

export function createChanges({ link, names }: ChangeDeps): Changes {
  const open = new Map<string, OpenChange>();
  const missed = createMissedKeys();

  async function onKeys(client: RedisConnection, script: Script, keys: readonly string[], args: (string | number)[]) {
    for (let from = 0; from < keys.length; from += KEYS_PER_SCRIPT_COUNT) {
      const part = keys.slice(from, from + KEYS_PER_SCRIPT_COUNT);
      const all = part.flatMap((key) => [names.value(key), names.ticket(key), names.marks(key)]);
      await runScript(client, script, all, args);
    }
  }
  const mark = (client: RedisConnection, id: string, keys: readonly string[]) =>
    onKeys(client, BEGIN, keys, [id, limits.shared_cache_change_max_ms]);

  async function sendMissed(client: RedisConnection): Promise<void> {
    for (const [id, change] of open) {
      if (change.marked) continue;
      await mark(client, id, change.keys);
      change.marked = true;
    }
    // Taken out before it is told: a key that changes once more meanwhile is missed once more.
    const { all, keys } = missed.take();
    try {
      if (all) await runScript(client, NEXT_EPOCH, [names.epoch()], [EPOCH_MEMORY_MS]);
      await onKeys(client, SETTLE, keys, [NO_MARK]);
    } catch (error) {
      if (all) missed.addAll();
      missed.add(keys);
      throw error;
    }
  }

  /** A change that could not be told: the connection is given up, since what was missed is told when it is back. */
  async function tell(work: (client: RedisConnection) => Promise<void>): Promise<boolean> {
    const there = link();
    if (!there) return false;
    try {
      await there.use(work);
      return true;
    } catch (error) {
      if (!(error instanceof LinkAwayError)) there.lose(error);
      return false;
    }
  }

  return {
    async begin(keys) {
      if (keys.length === 0) return { async settled() {} };
      const id = randomUUID();
      const change: OpenChange = { keys: [...new Set(keys)], marked: false };
      open.set(id, change);
      if (await tell((client) => mark(client, id, change.keys))) change.marked = true;
      return {
        async settled() {
          if (!open.delete(id)) return;
          if (!(await tell((client) => onKeys(client, SETTLE, change.keys, [id])))) missed.add(change.keys);
        },
      };
    },
    catchUp(client) {
      const waiting = missed.any() || [...open.values()].some((change) => !change.marked);
      return waiting ? sendMissed(client) : undefined;
    },
    lost() {
      for (const change of open.values()) change.marked = false;
    },
  };
}

/** Keys that changed unseen by Redis; beyond the bound they become "all". */
function createMissedKeys() {
  const missed = new Set<string>();
  let overflowed = false;
  const addAll = (): void => {
    overflowed = true;
    missed.clear();
  };
  return {
    any: () => overflowed || missed.size > 0,
    addAll,
    add(keys: readonly string[]): void {
      for (const key of keys) {
        if (overflowed) return;
        missed.add(key);
        if (missed.size > limits.shared_cache_missed_keys_max_count) addAll();
      }
    },
    take(): { readonly all: boolean; readonly keys: readonly string[] } {
      const taken = { all: overflowed, keys: [...missed] };
      overflowed = false;
      missed.clear();
      return taken;
    },
  };
}
