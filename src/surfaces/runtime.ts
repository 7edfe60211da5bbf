// What compose.ts hands to every surface: operations to call, and what a server says about itself.
import type { Clock } from '../kernel/clock.ts';
import type { Executor } from '../kernel/execute.ts';
import type { Principal } from '../kernel/operation.ts';

export interface HealthCheck {
  readonly name: string;
  readonly status: 'ok' | 'degraded' | 'failed';
  readonly detail: string;
  /** What to do when it is not ok. */
  readonly fix?: string;
}

export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'failed';
  readonly version: string;
  readonly machine_id: string;
  readonly uptime_seconds: number;
  readonly checks: readonly HealthCheck[];
}

/** Structured log lines; fields named like secrets are redacted by the implementation. */
export interface Log {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** A resource a model may read by URI. */
export interface ResourceContent {
  readonly uri: string;
  readonly name: string;
  readonly mime_type: string;
  readonly text: string;
}

/** A resource offered for picking in a client, without its text. */
export interface ResourceEntry {
  readonly uri: string;
  readonly name: string;
  readonly mime_type: string;
  readonly description?: string;
}

/** Progress of an import, one object a step; the last one has `type: 'done'`. */
export type TransferEvent =
  | {
      readonly type: 'progress';
      readonly read_bytes: number;
      readonly stored: number;
      readonly skipped: number;
      readonly problems: number;
    }
  | {
      readonly type: 'problem';
      readonly line?: number;
      readonly path?: string;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly type: 'done';
      readonly format: string;
      readonly stored: number;
      /** Renewed, because the source says more than at an earlier import. */
      readonly updated: number;
      readonly skipped: number;
      readonly problems: number;
      readonly conversations: number;
    };

export interface ImportOptions {
  readonly format?: string;
  readonly project?: string;
  readonly scope?: 'solo' | 'team' | 'shared';
  readonly tags?: readonly string[];
  /** Shown in problems and used for format detection. */
  readonly file_name?: string;
  readonly signal: AbortSignal;
}

export interface ExportOptions {
  readonly format: 'jsonl' | 'markdown';
  readonly project?: string;
  readonly category?: string;
  readonly include_deleted?: boolean;
  readonly signal: AbortSignal;
}

/** Bulk movement of memories; too large for one operation's input or output. */
export interface Transfers {
  importFrom(
    source: AsyncIterable<Uint8Array>,
    principal: Principal,
    options: ImportOptions,
  ): AsyncIterable<TransferEvent>;
  exportTo(principal: Principal, options: ExportOptions): AsyncIterable<string>;
}

export interface SyncStatus {
  readonly machine_id: string;
  readonly version: string;
  /** Highest change sequence this machine knows per origin machine. */
  readonly version_vector: Readonly<Record<string, number>>;
  readonly peers: readonly {
    readonly machine_id: string;
    readonly url: string;
    readonly last_sync_at: string | null;
  }[];
}

export interface Runtime {
  readonly version: string;
  readonly executor: Executor;
  readonly log: Log;
  readonly transfers: Transfers;
  /** Text for MCP `instructions`, at most 4,096 characters. */
  readonly instructions: string;
  /** The operating system's user on this machine, acting through the named agent. */
  localPrincipal(agent_id?: string): Principal;
  health(): Promise<HealthReport>;
  /** Prometheus text exposition. */
  metrics(): Promise<string>;
  readResource(uri: string, principal: Principal): Promise<ResourceContent>;
  /** A short list to pick from, for example the newest memories; absent where there is nothing to offer. */
  listResources?(principal: Principal): Promise<readonly ResourceEntry[]>;
  syncStatus(): Promise<SyncStatus>;
  /** Calls `listener` with resource URIs that changed; returns the way to stop. */
  onResourceChanged(listener: (uri: string) => void): () => void;
  /**
   * Finishes what was acknowledged, then closes the store. A command also makes the vectors of what it stored, unless it
   * is to `abandon` them: the next process makes them then.
   */
  close(options?: { readonly abandon?: boolean }): Promise<void>;
}

export interface OpenOptions {
  /** `server` runs schedules and serves metrics, `stdio` serves one client, `command` comes and goes. */
  readonly role: 'server' | 'stdio' | 'command';
  /** The system's clock unless a test decides the time. */
  readonly clock?: Clock;
}

/** A runtime over a store of this machine, which it can also copy. */
export interface LocalRuntime extends Runtime {
  /** Writes a consistent copy while others go on writing; the file must not exist. */
  backup(path: string): Promise<{ readonly bytes: number; readonly memories: number }>;
  /** Resolves when this process has made the vectors of all it stored; `left` counts down. */
  settle(onProgress: (left: number) => void, signal: AbortSignal): Promise<void>;
  /** Checks that read everything once. */
  inspect(): Promise<readonly HealthCheck[]>;
}
