// Requests that were turned away before any operation ran: on the audit log, without letting strangers flood it.
import type { Clock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import type { Principal } from '../../kernel/operation.ts';
import type { Audit } from '../audit/index.ts';

const NOBODY: Principal = { user_id: '-', agent_id: '-', machine_id: '-' };
/** Stands for all the rest once there are more kinds and addresses than are told apart. */
const MANY = { reason: 'several', remote_address: 'several' } as const;
const REASON_LENGTH_MAX_CHARS = 200;

interface Kind {
  readonly reason: string;
  readonly remote_address: string;
}

interface Refusal extends Kind {
  readonly since_ms: number;
  /** Turned away since the row that was written. */
  more: number;
}

export interface TurnedAwayDeps {
  readonly audit: Audit;
  readonly clock: Clock;
  /** A row that could not be written: the refusal stands all the same. */
  readonly onError: (error: unknown) => void;
}

export interface TurnedAwayLog {
  /** The first of a kind and address makes a row; those of the minute after it are counted and make one more. */
  note(reason: string, remote_address: string | undefined): Promise<void>;
  /** Writes what was counted and is not yet on the log. */
  flush(): Promise<void>;
}

export function createTurnedAwayLog({ audit, clock, onError }: TurnedAwayDeps): TurnedAwayLog {
  /** In the order they began. */
  const open = new Map<string, Refusal>();

  async function write(refusal: Kind, times: number): Promise<void> {
    try {
      await audit.record(NOBODY, {
        action: 'request.refused',
        target_type: 'hub',
        target_id: null,
        result: 'refused',
        reason: refusal.reason,
        details: { remote_address: refusal.remote_address, times },
      });
    } catch (error) {
      onError(error);
    }
  }

  /** Takes out what began before this and gives back what has to be written of it. */
  function ended(before_ms: number): readonly Refusal[] {
    const counted: Refusal[] = [];
    for (const [key, refusal] of open) {
      if (refusal.since_ms > before_ms) break;
      open.delete(key);
      if (refusal.more > 0) counted.push(refusal);
    }
    return counted;
  }

  return {
    async note(reason, remote_address) {
      const now_ms = clock.now();
      const counted = ended(now_ms - limits.turned_away_window_ms);
      const told = reason.slice(0, REASON_LENGTH_MAX_CHARS).toWellFormed();
      const address = remote_address?.slice(0, limits.id_length_max_chars) ?? '-';
      const own = { reason: told, remote_address: address };
      const kind = open.has(keyOf(own)) || open.size < limits.turned_away_max_count ? own : MANY;
      const known = open.get(keyOf(kind));
      if (known) known.more += 1;
      else open.set(keyOf(kind), { ...kind, since_ms: now_ms, more: 0 });
      for (const refusal of counted) await write(refusal, refusal.more);
      if (!known) await write(kind, 1);
    },
    async flush() {
      for (const refusal of ended(Number.POSITIVE_INFINITY)) await write(refusal, refusal.more);
    },
  };
}

function keyOf({ reason, remote_address }: Kind): string {
  return JSON.stringify([reason, remote_address]);
}
