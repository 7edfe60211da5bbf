// What the memory rules need from outside: the store, vectors, redaction and events, each as narrow as its use.
import type { ModeContext, Principal } from '../../../kernel/operation.ts';
import type { MemoryDatabase, MemoryTrx } from '../repository.ts';

export interface Redacted {
  readonly text: string;
  readonly findings: readonly { readonly kind: string }[];
}

/** Replaces secrets in text on its way into a memory. */
export type Redact = (text: string) => Promise<Redacted>;

/** Follows the rows: makes vectors after the acknowledgement, forgets those of deleted rows. */
export interface VectorFollower {
  /** These rows were stored or changed by this process and wait in the queue under its claim. */
  follow(row_ids: readonly number[]): void;
  forget(row_ids: readonly number[]): void;
  /** Milliseconds since the epoch until which a new queue row belongs to this process. */
  claimUntil(): number;
}

export interface RetentionPolicy {
  readonly category?: string | undefined;
  readonly tag?: string | undefined;
  readonly max_age_days: number;
}

export type TeamMemoryAction =
  | 'memory.stored'
  | 'memory.changed'
  | 'memory.moved_away'
  | 'memory.deleted'
  | 'memory.destroyed'
  | 'memory.recovered';

/** Writes one entry of a team's activity in the transaction of what it tells of. */
export type LogInTeam = (
  trx: MemoryTrx,
  principal: Principal,
  entry: { readonly team_id: string; readonly action: TeamMemoryAction; readonly memory_id: string },
) => Promise<void>;

export interface RuleDeps {
  readonly store: MemoryDatabase;
  readonly redact: Redact;
  readonly vectors: VectorFollower;
  readonly retention: readonly RetentionPolicy[];
  /** Absent: nobody keeps an activity log of teams. */
  readonly logInTeam?: LogInTeam | undefined;
  /** Tells subscribers that a memory changed. */
  readonly changed: (memory_id: string) => void;
}

/** Who asks, and where their session says they work. */
export interface Caller {
  readonly principal: Principal;
  /** Name of the project the caller works in. */
  readonly project: string | undefined;
  /** Of the project the session switched to. */
  readonly project_id?: string | undefined;
  /** Absent: solo. */
  readonly mode?: ModeContext | undefined;
}
