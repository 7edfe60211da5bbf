// A part of a backup: one kind of record of a project, read from the store and put back. One file a part; a domain that has
// something else to keep of a project adds its own to index.ts.
import type { Kysely, RawBuilder, SqlBool, Transaction } from 'kysely';
import type { z } from 'zod';
import type { Principal } from '../../../../kernel/operation.ts';
import type { Database } from '../../../../storage/database.ts';
import type { RestoredRow } from '../../../memory/index.ts';
import type { JsonRecord } from '../canonical.ts';
import type { BackupDeps } from '../deps.ts';

/** Tables by name, rows by column: parts say in one place which they are. */
export type AnyTables = Record<string, Record<string, unknown>>;
export type AnyReader = Pick<Kysely<AnyTables>, 'selectFrom'>;
export type AnyTrx = Transaction<AnyTables>;
export type AnyStore = Database<AnyTables>;
export type Row = Record<string, unknown>;
export type Key = readonly (string | number)[];

export interface ProjectScope {
  readonly project_id: string;
  readonly name: string;
  readonly principal: Principal;
  /** ISO time. */
  readonly now: string;
  readonly include_history: boolean;
  /** Where it is here; undefined where it is not. */
  readonly place: PlaceHere | undefined;
  /** Vaults of the project that the principal administers. */
  readonly vault_ids: readonly string[];
}

export interface PlaceHere {
  readonly scope: string;
  readonly team_id: string | null;
  readonly user_id: string;
}

/** What is known of a record that passed, for those that belong to it. */
export interface Admitted extends PlaceHere {
  readonly project_id: string | null;
  /** As it is here; where it is not, as it comes. */
  readonly version: number;
  /** In the backup, and here. */
  readonly names: readonly string[];
}

/** Where records go that cannot go where they were. */
export interface Placement {
  readonly scope: 'solo' | 'team' | 'shared';
  readonly team_id: string | null;
}

export interface RestoreContext {
  readonly deps: BackupDeps;
  readonly principal: Principal;
  readonly project: ProjectScope;
  readonly placement: Placement | undefined;
  /** The caller manages the project as it is here: its tasks are then the caller's to put back. */
  readonly manages_project: boolean;
  /** The very file was made on this hub, by itself. */
  readonly own_backup: boolean;
  readonly mode: RestoreMode;
  /** Names of keys (`keyName`) of what is taken away, by part. */
  readonly removing: ReadonlyMap<string, ReadonlySet<string>>;
  /** The record stands in the backup. */
  inBackup(part: string, key: Key): boolean;
  /** Records that passed, by part and `keyName`: what belongs to any other stays out. */
  readonly admitted: Map<string, Map<string, Admitted>>;
  /** Which memory of the backup has which identity. */
  readonly identities: Map<string, string>;
  /** Memories that were written, for those who have to hear of it after the commit. */
  readonly touched: RestoredRow[];
  readonly changed_tasks: string[];
}

export const RESTORE_MODES = ['safe', 'merge', 'overwrite'] as const;
export type RestoreMode = (typeof RESTORE_MODES)[number];

/**
 * What is to be done with a record. `conflict`: nothing can be done with it, in any mode. `older`: the store has a newer
 * one; `newer`: an older one; `other`: another one of the same key that no time tells apart.
 */
export type Finding =
  | { readonly kind: 'absent' }
  | { readonly kind: 'same' }
  | { readonly kind: 'newer' | 'older' | 'other' }
  /** It is not put in, and what is here stays: a vault that was destroyed, a text that is here under another id. What belongs to it stays out as well. */
  | { readonly kind: 'kept'; readonly reason: string }
  | { readonly kind: 'conflict'; readonly reason: string };

export interface Found {
  readonly record: JsonRecord;
  readonly finding: Finding;
  /** The row as it is here; undefined also where the caller may not change it. */
  readonly row: Row | undefined;
}

export interface ProjectPart {
  readonly name: string;
  /** Goes into a backup with `include_history` only. */
  readonly history: boolean;
  /** What is here under the same key is never put right: lines of a log. */
  readonly immutable: boolean;
  /** Form of a record. */
  readonly schema: z.ZodType<JsonRecord>;
  keyOf(record: JsonRecord): Key;
  /** Parts and keys of records it cannot be without. */
  needs(record: JsonRecord): readonly { readonly part: string; readonly key: Key }[];
  /** All records the principal may see, in batches, ordered by key. */
  read(db: AnyReader, project: ProjectScope): AsyncIterable<readonly JsonRecord[]>;
  /** Looks records up, decides who may, and compares. Placement is applied: records come back as they will be. */
  find(db: AnyReader, records: readonly JsonRecord[], ctx: RestoreContext): Promise<readonly Found[]>;
  add(trx: AnyTrx, found: readonly Found[], ctx: RestoreContext): Promise<void>;
  replace(trx: AnyTrx, found: readonly Found[], ctx: RestoreContext): Promise<void>;
  /** Keys of what a restore that overwrites takes away where the backup does not have it; absent: nothing ever. */
  removable?(db: AnyReader, project: ProjectScope): Promise<readonly Key[]>;
  /** Those of these keys that the caller may not take away; absent: all may be. */
  refuseRemoval?(db: AnyReader, keys: readonly Key[], ctx: RestoreContext): Promise<readonly Key[]>;
  remove?(trx: AnyTrx, keys: readonly Key[], ctx: RestoreContext): Promise<void>;
  /** Before anything is looked at in the transaction that writes: what has to be held by then. */
  begin?(trx: AnyTrx, ctx: RestoreContext): Promise<void>;
  /** Once everything is written. */
  finish?(trx: AnyTrx, ctx: RestoreContext): Promise<void>;
}

export type Where = RawBuilder<SqlBool>;
