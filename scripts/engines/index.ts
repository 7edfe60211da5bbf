// Real engines for tests and benches: each on a free loopback port with a temporary directory, ended with this process.
export { type ChromaServer, startChroma } from './chroma.ts';
export { type FreshDatabase, freshDatabase } from './database.ts';
export { type KeyringOptions, type KeyringServer, startKeyring } from './keyring.ts';
export { type PgvectorOptions, type PgvectorServer, startPgvector } from './pgvector.ts';
export { type PostgresOptions, type PostgresServer, startPostgres } from './postgres.ts';
export type { EngineServer } from './process.ts';
export { type RedisOptions, type RedisServer, startRedis } from './redis.ts';
