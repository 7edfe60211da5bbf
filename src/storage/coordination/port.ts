// Coordination between processes as a port: events, leases, rate limits, presence and a shared cache. Nothing that
// matters lives only here: what is lost with it costs time, never an acknowledged write.

/** Exclusive right to a piece of work for a while. */
export interface Lease {
  readonly name: string;
  /** Grows with every new holder: a late writer with a smaller token has lost the lease. */
  readonly token: number;
  /**
   * True while no other process can have it, by this process's clock: less than the time to live has passed since the
   * last acquire or renew began. Ask it before each step of long work.
   */
  held(): boolean;
  /** Prolongs it by its time to live; false where it was lost. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

export interface LeaseStore {
  /** Takes the lease where nobody holds it; undefined where somebody does. */
  acquire(name: string, ttl_ms: number): Promise<Lease | undefined>;
}

export interface RateLimit {
  readonly limit_count: number;
  readonly window_ms: number;
}

export interface RateVerdict {
  readonly allowed: boolean;
  readonly remaining_count: number;
  /** Milliseconds until the next call would be allowed; 0 where this one is. */
  readonly retry_after_ms: number;
}

export interface Member {
  readonly member_id: string;
  /** What it says about itself: machine, version, address. */
  readonly about: Readonly<Record<string, string>>;
  readonly since: string;
}

export interface CoordinationStatus {
  readonly kind: 'in_process' | 'redis' | 'postgres';
  /** `degraded`: the engine behind it is away and this process goes on alone. */
  readonly state: 'ok' | 'degraded';
  /** For people: where it is (never a password), what is wrong. */
  readonly detail: string;
  readonly fix?: string;
  readonly version?: string;
  readonly latency_ms?: number;
}

/**
 * Values by key, shared between processes where the engine allows it, bytes in and out. Absent or unreachable: every
 * look misses and nothing is kept. No call rejects.
 */
export interface SharedCache {
  /** A value that never changes under its key, such as one named by the hash of what it was made from. */
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array, options: { readonly ttl_ms: number }): Promise<void>;
  /**
   * A value that changes with the store. Look first, read the store after a miss, then fill: the fill is refused where
   * a change of the key began in between, so what a slow reader read never replaces anything newer.
   */
  look(key: string): Promise<CacheLook>;
  /**
   * Before a change commits: from now until `settled` (or ten seconds, if this process dies) the keys miss and cannot
   * be filled, and whoever read before can never fill them.
   */
  begin(keys: readonly string[]): Promise<ChangeMark>;
}

export type CacheLook = { readonly value: Uint8Array } | CacheMiss;

export interface CacheMiss {
  readonly value: undefined;
  /** Keeps what was read from the store after the look; at most for a minute, whatever `ttl_ms` says. */
  fill(value: Uint8Array, options: { readonly ttl_ms: number }): Promise<void>;
}

export interface ChangeMark {
  /** The change committed, or did not: the keys may be filled again. */
  settled(): Promise<void>;
}

export interface Coordination extends AsyncDisposable, LeaseStore {
  readonly member_id: string;
  /**
   * Tells every process of this engine, this one included, once each. Best effort: resolves also where nobody could be
   * told.
   */
  publish(channel: string, message: string): Promise<void>;
  /** Returns the way to stop. Listeners must not throw. */
  subscribe(channel: string, listener: (message: string) => void): () => void;
  /** Called after an interruption in which messages may have been missed. Returns the way to stop. */
  onGap(listener: () => void): () => void;
  /** Counts one call against a limit shared by all processes. */
  take(key: string, limit: RateLimit): Promise<RateVerdict>;
  /** Says that this process is there, again and again until disposed. */
  announce(about: Readonly<Record<string, string>>): Promise<void>;
  members(): Promise<readonly Member[]>;
  readonly cache: SharedCache;
  status(): Promise<CoordinationStatus>;
}
