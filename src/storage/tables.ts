// Tables every store has, whatever the domains: the record of changes that synchronisation reads.
import type { Generated } from 'kysely';

/** Highest sequence known per origin machine: together, the store's version vector. */
export interface OriginTable {
  origin: string;
  last_sequence: number;
  last_clock: string;
}

export interface ChangeTable {
  /** Local order of arrival; other processes follow the store by it. */
  seq: Generated<number>;
  origin: string;
  origin_sequence: number;
  /** Hybrid logical clock. */
  clock: string;
  entity: string;
  entity_id: string;
  kind: 'put' | 'delete';
  /** The record's version vector after the change, JSON object of origin -> count. */
  version_vector: string;
}

export interface StorageTables {
  origins: OriginTable;
  changes: ChangeTable;
}

/** Columns every synchronised record carries. */
export interface VersionedColumns {
  origin: string;
  origin_sequence: number;
  clock: string;
  version_vector: string;
}
