// What compose.ts hands to every surface: operations to call, and what a server says about itself.
import type { ReindexOptions, ReindexProgress, ReindexReport } from '../domains/memory/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Executor } from '../kernel/execute.ts';
import type { Credential, OperationContext, Permission, Principal, SessionHandle } from '../kernel/operation.ts';

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
      /** Secrets replaced by markers. */
      readonly redacted: number;
      /** What kinds of secrets these were. */
      readonly redacted_kinds: readonly string[];
    };

export interface ImportOptions {
  readonly format?: string;
  readonly project?: string;
  readonly scope?: 'solo' | 'team' | 'shared';
  /** All goes to this team; implies scope team. */
  readonly team_id?: string;
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
  /**
   * Throws what the import would be refused with before it reads anything: where its answer begins before it ends, this
   * can still be told as a failure. A `forbidden` is on the audit log.
   */
  assertImport(principal: Principal, options: Pick<ImportOptions, 'scope' | 'team_id'>): Promise<void>;
  importFrom(
    source: AsyncIterable<Uint8Array>,
    principal: Principal,
    options: ImportOptions,
  ): AsyncIterable<TransferEvent>;
  exportTo(principal: Principal, options: ExportOptions): AsyncIterable<string>;
}

/** Files of project backups; too large for an operation's input or output. */
export interface BackupFiles {
  /** The file as it lies on this hub. Errors: `not_found`, `forbidden`, `unavailable` where it is on another machine. */
  takeOut(
    principal: Principal,
    backup_id: string,
  ): Promise<{ readonly bytes: number; readonly pieces: AsyncIterable<Uint8Array> }>;
  /** Takes a file in after it was read to its end. Errors: `storage_corrupt` with the damaged part, `forbidden`. */
  takeIn(
    principal: Principal,
    source: AsyncIterable<Uint8Array>,
  ): Promise<{ readonly backup_id: string; readonly project_id: string }>;
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

/** What any hub needs to go on with an MCP session that another hub began. Only its owner may go on with it. */
export interface McpSessionState {
  /** `streamable`: Streamable HTTP up to 2025-11-25. `sse`: HTTP+SSE, whose stream and server are on one hub. */
  readonly kind: 'streamable' | 'sse';
  /** `streamable`: parameters of the client's initialize request. */
  readonly initialize?: Readonly<Record<string, unknown>>;
  /** Toolsets the client narrowed its list to; absent for all. */
  readonly toolsets?: readonly string[];
  /** What the headers of its first request said. */
  readonly agent_id?: string;
  readonly session_name?: string;
  readonly project?: string;
  /** `streamable`: URIs of resources whose changes it wants to hear of. */
  readonly subscriptions: readonly string[];
  /** `sse`: the hub that holds the stream, and its key for what is handed to it. */
  readonly hub?: string;
  readonly hub_key?: string;
}

export interface McpSessionRecord {
  readonly session_id: string;
  readonly owner: string;
  readonly state: McpSessionState;
  /** Unix time, as the hub that saw it last counts. */
  readonly last_seen_at_ms: number;
}

/** Sessions that outlive the hub that made them. Rejects like every reading and writing of the store. */
export interface McpSessionStore {
  create(record: Pick<McpSessionRecord, 'session_id' | 'owner' | 'state'>): Promise<void>;
  /** Undefined where it never was, ended, or was idle for too long. */
  load(session_id: string): Promise<McpSessionRecord | undefined>;
  /** Puts what `change` makes of the state in its place; may ask it several times. False where the session is gone. */
  change(session_id: string, change: (state: McpSessionState) => McpSessionState): Promise<boolean>;
  /** Notes that these are in use. Returns those that are still there. */
  touch(session_ids: readonly string[]): Promise<ReadonlySet<string>>;
  remove(session_id: string): Promise<void>;
}

/** Messages between the hubs of one store, as JSON values. Best effort: a message may be lost, none comes twice. */
export interface Relay {
  /** Names this process among all hubs, never used again by another. */
  readonly member_id: string;
  /** Tells the other hubs. Never rejects. */
  publish(channel: string, message: unknown): Promise<void>;
  /** What the others told. Returns the way to stop. */
  subscribe(channel: string, listener: (message: unknown) => void): () => void;
  /** Called after messages may have been missed. Returns the way to stop. */
  onGap(listener: () => void): () => void;
  /** What others need to ask this hub: the public half of a key pair of this process. */
  readonly public_key: string;
  /**
   * The answer of the hub with this public key; undefined where none comes in time. The question is sealed: nobody in
   * between can read, forge or repeat it.
   */
  ask(
    channel: string,
    question: unknown,
    how: { readonly public_key: string; readonly timeout_ms: number },
  ): Promise<unknown>;
  /** Answers what others ask; undefined leaves it to them. Returns the way to stop. */
  answer(channel: string, answerer: (question: unknown) => Promise<unknown> | undefined): () => void;
}

/** Something changed: the record as it is now, in a few fields. */
export interface StoreEvent {
  /** Where the stream is after it. At least once: whoever goes on from an earlier id gets it again, with the same id. */
  readonly id: string;
  readonly event: 'memory' | 'task' | 'agent' | 'message' | 'project';
  readonly data: Readonly<Record<string, unknown>>;
}

export interface EventFilter {
  /** The id of the last event that was seen; absent: from now on. */
  readonly after?: string | undefined;
  /** Absent: all. */
  readonly kinds?: readonly StoreEvent['event'][] | undefined;
  readonly signal: AbortSignal;
}

export interface CallVerdict {
  readonly allowed: boolean;
  /** Until the next call would be allowed. */
  readonly retry_after_ms: number;
}

/** Who a connection proved to be. */
export interface Identity {
  readonly user_id: string;
  /** Fixed by the credential; else the client says its own name. */
  readonly agent_id?: string;
  /** Fixed by the credential; else unknown. */
  readonly machine_id?: string;
  readonly credential: Credential;
}

/** A request that was turned away before any operation ran. */
export interface TurnedAway {
  readonly reason: string;
  readonly remote_address: string | undefined;
}

/** How callers that are not the machine's owner prove who they are. */
export interface Identities {
  /**
   * The user behind a token of this hub or of a configured issuer. Rejects with `unauthenticated`, saying why, or with
   * `unavailable` where it cannot be checked now: the token may be good, so a client should keep it and try again.
   */
  bearer(token: string): Promise<Identity>;
  /** The user behind an address, where Tailscale is asked and knows it. */
  peer(remote_address: string, remote_port: number): Promise<Identity | undefined>;
  /** Public keys that verify the hub's tokens, as a JWK set. */
  jwks(): Promise<{ readonly keys: readonly Readonly<Record<string, unknown>>[] }>;
  /** Issuers whose tokens are accepted besides the hub's own. */
  readonly issuers: readonly string[];
  /** Audience and name of this hub as a protected resource; undefined: the address it was asked by. */
  readonly public_url: string | undefined;
  /** Puts it on the audit log; many of one kind and address in a minute make one row. Never rejects. */
  turnedAway(what: TurnedAway): Promise<void>;
}

export interface Runtime {
  /** Random, of this process. */
  readonly hub_id: string;
  /** Secret, of this process: whoever can read it in hub.json can read the store itself, so is its owner. */
  readonly owner_key: string;
  readonly version: string;
  readonly executor: Executor;
  readonly log: Log;
  readonly transfers: Transfers;
  readonly backupFiles: BackupFiles;
  /** Text for MCP `instructions`, at most 4,096 characters. */
  readonly instructions: string;
  /** The operating system's user on this machine, acting through the named agent. */
  localPrincipal(agent_id?: string): Principal;
  health(): Promise<HealthReport>;
  /** Whether requests can be served: the store alone, since the other engines may be away. Never rejects. */
  ready(): Promise<HealthCheck>;
  /** Prometheus text exposition. */
  metrics(): Promise<string>;
  /** `session`: the agent session that reads, where what is shown depends on it. */
  readResource(uri: string, principal: Principal, session?: SessionHandle): Promise<ResourceContent>;
  /**
   * Throws `not_found`, naming the forms there are, for a URI of this server's scheme that can be no resource. Whether
   * there is one of a form it does not tell.
   */
  assertResourceUri(uri: string): void;
  /**
   * Whether the principal may read the resource now, or could until it was deleted: what decides who hears of a change.
   * False for what is not there. Never rejects.
   */
  mayReadResource(uri: string, principal: Principal): Promise<boolean>;
  /**
   * The gate before what is no operation, such as an export: resolves with the principal in the teams it is in now.
   * Throws `forbidden` where its credential does not allow this, which the audit log then has. `what` names it there.
   * What `further` throws of that principal is thrown, and a `forbidden` of it is on the audit log as well.
   */
  authorise(
    principal: Principal,
    permission: Permission,
    what: string,
    further?: (principal: Principal) => void,
  ): Promise<Principal>;
  /** A short list to pick from, for example the newest memories; absent where there is nothing to offer. */
  listResources?(principal: Principal): Promise<readonly ResourceEntry[]>;
  syncStatus(): Promise<SyncStatus>;
  readonly mcpSessions: McpSessionStore;
  readonly relay: Relay;
  readonly identities: Identities;
  /** Counts a call of this caller, over all hubs; absent where calls are not limited. Never rejects. */
  readonly limitCall?: (caller: string) => Promise<CallVerdict>;
  /**
   * What changes, as far as the principal may see it. Resolves when it follows; ends when the filter's signal is aborted.
   * Rejects with `invalid_input` for an `after` that is no id of an event.
   */
  followEvents(principal: Principal, filter: EventFilter): Promise<AsyncIterable<StoreEvent>>;
  /**
   * The client of this session is connected though it calls nothing: its agent is there, and the claims of the session
   * are renewed. Never rejects.
   */
  stillHere(caller: Pick<OperationContext, 'principal' | 'session'>): Promise<void>;
  /** Calls `listener` with resource URIs that changed, on whichever hub; returns the way to stop. */
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
  backup(
    path: string,
  ): Promise<{ readonly bytes: number; readonly memories: number; readonly vaults: number | undefined }>;
  /** Resolves when this process has made the vectors of all it stored; `left` counts down. */
  settle(onProgress: (left: number) => void, signal: AbortSignal): Promise<void>;
  /**
   * Makes a new master key (unless `resume`) and wraps again with it what earlier ones wrap. Interrupted, it goes on
   * when it is run again with `resume`. Errors: those of the key ring; `storage_corrupt`.
   */
  rotateMasterKey(how?: { readonly resume?: boolean }): Promise<{
    readonly master_key_id: string;
    readonly vault_keys: number;
    readonly signing_keys: number;
  }>;
  /** Checks that read everything once. */
  inspect(): Promise<readonly HealthCheck[]>;
  /**
   * Brings vectors, and the index of them that another program holds, to the memories, while others serve. Interrupted,
   * it goes on where it was when it is run again. Rejects with `unavailable` where the index does not answer.
   */
  reindex(
    options: ReindexOptions,
    onProgress: (progress: ReindexProgress) => void,
    signal: AbortSignal,
  ): Promise<ReindexReport>;
  /** Compares that index with all memories; undefined where it is part of each process. */
  checkIndex(signal: AbortSignal): Promise<HealthCheck | undefined>;
}
