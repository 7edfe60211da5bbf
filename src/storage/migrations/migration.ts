// What a migration is: numbered, forward-only, run inside one transaction under the store's write lock.
import type { Kysely } from 'kysely';

/** Statements that create the dialect's full-text index. */
export interface TextIndexSchema {
  readonly ddl: readonly string[];
}

export interface Migration {
  readonly version: number;
  readonly name: string;
  up(db: Kysely<unknown>, textIndex: TextIndexSchema): Promise<void>;
}
