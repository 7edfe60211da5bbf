// The table of one store's vectors of one embedding model: made where it is missing, by one hub at a time.
import { failure } from '../../../kernel/errors.ts';
import { modelHash, type VectorModel } from './model-name.ts';
import { type Query, sqlState } from './pgvector-connection.ts';
import type { VectorPayload } from './port.ts';

export interface VectorTable {
  /** Quoted, with its schema where one is configured. */
  readonly name: string;
  /** `vector`, or `halfvec` for models longer than an index over `vector` can hold. */
  readonly type: string;
}

export const PAYLOAD_FIELDS = [
  'user_id',
  'scope',
  'category',
  'project',
  'project_id',
  'session_id',
  'machine_id',
  'agent_id',
  'source',
] as const satisfies readonly (keyof VectorPayload)[];

/** HNSW graph: neighbours a node and candidates while building. Measured: see docs/scale.md. */
const HNSW = 'm = 16, ef_construction = 128';
const VECTOR_INDEX_MAX_DIMENSIONS = 2_000;
const HALFVEC_INDEX_MAX_DIMENSIONS = 4_000;
/** Any number that is always the same; `pg_advisory_xact_lock` takes two, and this one is ours. */
const LOCK_CLASS = 0x68_69_76_65;

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Throws `config_invalid` where the model's vectors are longer than pgvector can index. */
export const tableOf = (model: VectorModel, schema: string | undefined): VectorTable => {
  if (model.dimensions > HALFVEC_INDEX_MAX_DIMENSIONS)
    throw failure(
      'config_invalid',
      `pgvector indexes at most ${HALFVEC_INDEX_MAX_DIMENSIONS} dimensions; the model has ${model.dimensions}.`,
      'Choose a model with shorter vectors, or keep the vectors embedded or in Chroma.',
    );
  const table = quoted(`haivemind_vectors_${modelHash(model)}`);
  const type = model.dimensions > VECTOR_INDEX_MAX_DIMENSIONS ? 'halfvec' : 'vector';
  return { name: schema === undefined ? table : `${quoted(schema)}.${table}`, type };
};

/** Version of the extension in this database; undefined where it is not set up. */
export const extensionVersion = async (query: Query): Promise<string | undefined> => {
  const rows = await query<{ version: string }>(
    `select extversion as version from pg_extension where extname = 'vector'`,
  );
  return rows[0]?.version;
};

const ensureExtension = async (query: Query): Promise<void> => {
  if ((await extensionVersion(query)) !== undefined) return;
  const available = await query(`select 1 from pg_available_extensions where name = 'vector'`);
  if (available.length === 0)
    throw failure(
      'config_invalid',
      'This PostgreSQL has no pgvector extension.',
      'Install it on the database server (Debian with PGDG packages: `apt install postgresql-15-pgvector`, the number ' +
        'being that of the server), then have a superuser run `create extension vector` in this database.',
    );
  try {
    await query('create extension if not exists vector');
  } catch (cause) {
    if (sqlState(cause) !== '42501') throw cause;
    const hint = 'Have a superuser run `create extension vector` in this database once.';
    throw failure('config_invalid', 'Our PostgreSQL user may not set up pgvector.', hint, { cause });
  }
};

/** Extension, table and indexes. Hubs that start at once wait for each other: `if not exists` alone races. */
export const makeTable = async (query: Query, table: VectorTable, model: VectorModel): Promise<void> => {
  await query('select pg_advisory_xact_lock($1, $2)', [LOCK_CLASS, Number.parseInt(modelHash(model).slice(0, 7), 16)]);
  await ensureExtension(query);
  const payload = PAYLOAD_FIELDS.map((field) => `${field} text${NULLABLE.has(field) ? '' : ' not null'}`).join(', ');
  await query(`create table if not exists ${table.name} (
    row_id bigint not null, chunk integer not null, chunks integer not null, revision text not null,
    ${payload}, tags text[] not null,
    embedding ${table.type}(${model.dimensions}) not null,
    primary key (row_id, chunk))`);
  const hash = modelHash(model);
  await query(`create index if not exists haivemind_vectors_${hash}_near on ${table.name}
    using hnsw (embedding ${table.type}_ip_ops) with (${HNSW})`);
  await query(`create index if not exists haivemind_vectors_${hash}_tags on ${table.name} using gin (tags)`);
  for (const field of INDEXED)
    await query(`create index if not exists haivemind_vectors_${hash}_${field} on ${table.name} (${field})`);
};

const NULLABLE: ReadonlySet<string> = new Set(['project', 'project_id', 'session_id']);
/** What may leave few of many memories: the others say too little for an index of their own. */
const INDEXED = ['session_id', 'project_id', 'project'] as const;
