// What a migration is: numbered, forward-only, run inside one transaction under the store's write lock.
import type { Kysely } from 'kysely';
import type { SchemaDialect } from '../dialect.ts';

export interface Migration {
  readonly version: number;
  readonly name: string;
  up(db: Kysely<unknown>, types: SchemaDialect): Promise<void>;
}
