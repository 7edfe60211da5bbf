// The endpoints of Chroma's version 2 API that the index uses, with their answers checked.
import { z } from 'zod';
import { failure } from '../../../kernel/errors.ts';
import type { ChromaAnswer, ChromaHttp, ChromaRequest } from './chroma-http.ts';
import type { ChromaRecord } from './chroma-records.ts';
import type { Where } from './chroma-where.ts';

const DISTANCE_SPACE = 'ip';

/**
 * Measured on 10,000 vectors of the shipped model with whitened queries: see docs/scale.md. The space is the inner
 * product because those queries have no length of one.
 */
const HNSW = { space: DISTANCE_SPACE, ef_construction: 200, ef_search: 400, max_neighbors: 16 } as const;

/** A search has another way, by words, and should not wait as long as a write may. */
const SEARCH_TIMEOUT_MS = 5_000;

const space = z.object({ space: z.string().nullish() }).nullish();
const collectionAnswer = z.object({
  id: z.string(),
  configuration_json: z.object({ hnsw: space, spann: space }).nullish(),
});
const metadatas = z.array(z.record(z.string(), z.unknown()).nullable());
const recordsAnswer = z.object({ ids: z.array(z.string()), metadatas: metadatas.nullish() });
const nearAnswer = z.object({
  ids: z.array(z.array(z.string())),
  distances: z.array(z.array(z.number().nullable())),
  metadatas: z.array(metadatas.nullable()).nullish(),
});
const preFlight = z.object({ max_batch_size: z.int().positive() });
const heartbeat = z.object({ 'nanosecond heartbeat': z.number() });
const HEARTBEAT = { method: 'GET', path: '/api/v2/heartbeat' } as const;
/** How Chroma says that a collection, a database or a tenant is not there. */
const notFound = z.object({ error: z.literal('NotFoundError'), message: z.string() });

/** What a call answers where the collection is not there (any more). */
export const MISSING = Symbol('missing');
export type OrMissing<T> = T | typeof MISSING;

export interface StoredRecord {
  readonly id: string;
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

export interface ChromaApi {
  version(signal?: AbortSignal): Promise<string>;
  heartbeat(): Promise<void>;
  maxBatch(): Promise<number>;
  /** The collection's id. */
  find(name: string, signal?: AbortSignal): Promise<OrMissing<string>>;
  create(name: string, metadata: Readonly<Record<string, string | number>>): Promise<string>;
  drop(name: string): Promise<void>;
  upsert(id: string, records: readonly ChromaRecord[]): Promise<OrMissing<void>>;
  /** Records that meet the condition, in no order; all of them without a limit. */
  get(id: string, where: Where, limit?: number): Promise<OrMissing<StoredRecord[]>>;
  /** At least one of them. */
  remove(id: string, chosen: { readonly ids: readonly string[] } | { readonly where: Where }): Promise<OrMissing<void>>;
  count(id: string): Promise<OrMissing<number>>;
  query(id: string, query: NearQuery): Promise<OrMissing<NearRecord[]>>;
}

export interface NearRecord extends StoredRecord {
  readonly distance: number;
}

export interface NearQuery {
  readonly vector: Float32Array;
  readonly limit: number;
  readonly where: Where | undefined;
  /** Answers with the records' metadata; null in them without it. */
  readonly metadata: boolean;
  readonly signal: AbortSignal | undefined;
}

export interface ChromaPlace {
  readonly tenant: string;
  readonly database: string;
}

const invalid = (place: string, what: string, hint: string, cause?: unknown) =>
  failure('config_invalid', `Chroma at ${place} ${what}.`, hint, cause === undefined ? {} : { cause });

/**
 * Before 1.0.13 Chroma loses what applies writes, until it is started again, when the connection of a client is cut in the
 * middle of an upsert, as by a hub that is killed (chroma-core/chroma#4365). It answers everything else as ever, and all of
 * these releases call themselves 1.0.0.
 */
const WRITER_ENDED = /sending message to compactor/i;
const WRITER_HINT = 'Restart Chroma: nothing is lost. Release 1.0.13 and later ones do not stop like this.';

/** The server's own words go into the cause, for the log: they may repeat stored values. */
const refusal = (place: string, { status, body }: ChromaAnswer) => {
  const cause = new Error(JSON.stringify(body)?.slice(0, 500) ?? `status ${status}`);
  if (status === 401 || status === 403)
    return invalid(place, 'refused the token', 'Correct the token of storage.chromadb, then start again.', cause);
  if (status === 410 || status === 405)
    return invalid(place, 'does not speak version 2 of the API', 'Use Chroma 1.0 or later.', cause);
  if (status >= 500 && WRITER_ENDED.test(cause.message))
    return failure('unavailable', `Chroma at ${place} takes no changes until it is started again.`, WRITER_HINT, {
      cause,
    });
  if (status >= 500)
    return failure('unavailable', `Chroma at ${place} failed with status ${status}.`, 'Look at its log.', { cause });
  return invalid(place, `refused a request with status ${status}`, 'Use Chroma 1.0 or later; look at its log.', cause);
};

/** Requests with their answers read: `call` tells where there is nothing, `present` throws then. */
const createCalls = (http: ChromaHttp) => {
  const read = <T>(schema: z.ZodType<T>, body: unknown): T => {
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    const hint = 'Check that the address is that of Chroma 1.0 or later.';
    throw invalid(http.place, 'answers something else than Chroma does', hint, parsed.error);
  };

  /** A path that Chroma has, answered with 404 by something else: taken for a missing collection it would pass for empty. */
  const expectChroma = async ({ body }: ChromaAnswer): Promise<void> => {
    if (notFound.safeParse(body).success) return;
    if (heartbeat.safeParse((await http.send(HEARTBEAT)).body).success) return;
    const hint = 'Correct the address in storage.chromadb: it is that of Chroma 1.0 or later.';
    throw invalid(http.place, 'is not Chroma: another HTTP server answers there', hint);
  };

  const call = async <T>(schema: z.ZodType<T>, request: ChromaRequest): Promise<OrMissing<T>> => {
    const answer = await http.send(request);
    if (answer.status === 404) {
      await expectChroma(answer);
      return MISSING;
    }
    if (answer.status < 200 || answer.status > 299) throw refusal(http.place, answer);
    return read(schema, answer.body);
  };

  const present = async <T>(schema: z.ZodType<T>, request: ChromaRequest, what: string): Promise<T> => {
    const answer = await call(schema, request);
    if (answer !== MISSING) return answer;
    throw invalid(http.place, `has no ${what}`, 'Check address, tenant and database of storage.chromadb.');
  };
  return { call, present };
};

const done = z.unknown().transform(() => undefined);

/** Makes the typed calls. All throw `unavailable` or `config_invalid`. */
export const createChromaApi = (http: ChromaHttp, { tenant, database }: ChromaPlace): ChromaApi => {
  const home = `/api/v2/tenants/${encodeURIComponent(tenant)}/databases/${encodeURIComponent(database)}`;
  const collections = `${home}/collections`;

  const { call, present } = createCalls(http);

  const idOf = (answer: z.infer<typeof collectionAnswer>): string => {
    const { hnsw, spann } = answer.configuration_json ?? {};
    const found = hnsw?.space ?? spann?.space;
    if (found === DISTANCE_SPACE) return answer.id;
    const hint = 'Remove that collection, which something else made; `haivemind reindex` fills a new one.';
    throw invalid(http.place, `has our collection with the space ${found ?? 'unknown'} instead of ip`, hint);
  };

  const post = <T>(
    schema: z.ZodType<T>,
    id: string,
    verb: string,
    body: unknown,
    limits: Pick<ChromaRequest, 'signal' | 'timeout_ms'> = {},
  ) => call(schema, { method: 'POST', path: `${collections}/${id}/${verb}`, body, ...limits });

  return {
    version: (signal) =>
      present(z.string(), { method: 'GET', path: '/api/v2/version', signal }, 'version 2 of the API'),
    async heartbeat() {
      await present(heartbeat, HEARTBEAT, 'version 2 of the API');
      const where = `database ${database} of tenant ${tenant}`;
      await present(z.object({ name: z.string() }), { method: 'GET', path: home }, where);
    },
    async maxBatch() {
      const request = { method: 'GET', path: '/api/v2/pre-flight-checks' } as const;
      return (await present(preFlight, request, 'version 2 of the API')).max_batch_size;
    },
    async find(name, signal) {
      const answer = await call(collectionAnswer, { method: 'GET', path: `${collections}/${name}`, signal });
      return answer === MISSING ? MISSING : idOf(answer);
    },
    async create(name, metadata) {
      const body = { name, metadata, get_or_create: true, configuration: { hnsw: HNSW } };
      const request = { method: 'POST', path: collections, body } as const;
      return idOf(await present(collectionAnswer, request, `database ${database} of tenant ${tenant}`));
    },
    async drop(name) {
      await call(done, { method: 'DELETE', path: `${collections}/${name}` });
    },
    upsert: (id, records) =>
      post(done, id, 'upsert', {
        ids: records.map((record) => record.id),
        embeddings: records.map((record) => record.vector),
        metadatas: records.map((record) => record.metadata),
      }),
    async get(id, where, limit) {
      const body = { where, include: ['metadatas'], ...(limit === undefined ? {} : { limit }) };
      const answer = await post(recordsAnswer, id, 'get', body);
      if (answer === MISSING) return MISSING;
      return answer.ids.map((each, i) => ({ id: each, metadata: answer.metadatas?.[i] ?? null }));
    },
    remove: (id, chosen) => post(done, id, 'delete', chosen),
    count: (id) => call(z.int().nonnegative(), { method: 'GET', path: `${collections}/${id}/count` }),
    async query(id, { vector, limit, where, metadata, signal }) {
      const body = {
        query_embeddings: [Array.from(vector)],
        n_results: limit,
        include: metadata ? ['distances', 'metadatas'] : ['distances'],
        ...(where === undefined ? {} : { where }),
      };
      const answer = await post(nearAnswer, id, 'query', body, { signal, timeout_ms: SEARCH_TIMEOUT_MS });
      if (answer === MISSING) return MISSING;
      const distances = answer.distances[0] ?? [];
      return (answer.ids[0] ?? []).map((each, i) => ({
        id: each,
        distance: distances[i] ?? Number.POSITIVE_INFINITY,
        metadata: answer.metadatas?.[0]?.[i] ?? null,
      }));
    },
  };
};
