// The vector index that Chroma holds: one collection for each store and embedding model, one record for each chunk.
import { failure } from '../../../kernel/errors.ts';
import {
  type ChromaApi,
  createChromaApi,
  MISSING,
  type NearQuery,
  type NearRecord,
  type OrMissing,
} from './chroma-api.ts';
import { readHeads } from './chroma-heads.ts';
import { createChromaHttp } from './chroma-http.ts';
import { type ChromaRecord, type Metadata, readRecordId, recordsOf, withoutOldKeys } from './chroma-records.ts';
import { asksSightAlone, isInSight, whereOf, whereRows } from './chroma-where.ts';
import { expectDimensions, lastOfEach, modelHash, type VectorModel } from './model-name.ts';
import type { IndexedMemory, NearChunk, NearOptions, VectorServer } from './port.ts';

export interface ChromaSettings extends VectorModel {
  /** For example http://127.0.0.1:8000. */
  readonly url: string;
  /** Sent as `Authorization: Bearer` and as `x-chroma-token`: servers are set up for either. */
  readonly token?: string | undefined;
  readonly tenant?: string | undefined;
  readonly database?: string | undefined;
  /** For one request. */
  readonly timeout_ms?: number | undefined;
  readonly connect_timeout_ms?: number | undefined;
  readonly wait?: ((ms: number, signal?: AbortSignal) => Promise<void>) | undefined;
}

const TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 2_000;
/** Chroma refuses bodies of 40 MiB by default; a tenth keeps its other callers waiting for less time. */
const BODY_MAX_BYTES = 4 * 1024 * 1024;
const NUMBER_BYTES = 11;
const METADATA_BYTES = 1_024;
/** Memories asked for or removed with one condition. */
const ROWS_PER_CONDITION = 250;
const COLLECTION_TRIES = 3;
/**
 * Chroma lists every record for which a condition holds before it looks for near ones: 90 ms at 20,000 records, and 400
 * at 100,000. Where the caller may see all of so many of the nearest, the condition is left out; rows are checked anyway.
 */
const SIGHT_SAMPLE = 50;

function* slices<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let first = 0; first < items.length; first += size) yield items.slice(first, first + size);
}

/** Keeps the collection's id; another hub may remove the collection at any time, and the id with it. */
const createCollection = (api: ChromaApi, name: string, { store_id, model_id, dimensions }: VectorModel) => {
  let known: string | undefined;

  const locate = async (make: boolean): Promise<OrMissing<string>> => {
    if (known !== undefined) return known;
    let found = await api.find(name);
    if (found === MISSING && make)
      found = await api.create(name, { store_id, model_id, dimensions, made_by: 'haivemind' });
    if (found !== MISSING) known = found;
    return found;
  };

  /** Runs `work` on the collection; where it vanished, on the one that stands in its place, made if `make`. */
  return async <T>(make: boolean, work: (id: string) => Promise<OrMissing<T>>): Promise<OrMissing<T>> => {
    for (let tries = 0; tries < COLLECTION_TRIES; tries++) {
      const id = await locate(make);
      if (id === MISSING) return MISSING;
      const answer = await work(id);
      if (answer !== MISSING) return answer;
      if (known === id) known = undefined;
    }
    return MISSING;
  };
};

type AskNear = (asked: Pick<NearQuery, 'limit' | 'where' | 'metadata'>) => Promise<OrMissing<NearRecord[]>>;

/** The nearest records that meet the condition; see SIGHT_SAMPLE for when others may be among them. */
const nearRecords = async (ask: AskNear, { limit, filter, allowed }: NearOptions): Promise<readonly NearRecord[]> => {
  const where = whereOf({ filter, allowed });
  if (where === 'nothing' || limit < 1) return [];
  const sampled = asksSightAlone({ filter, allowed })
    ? await ask({ limit: SIGHT_SAMPLE, where: undefined, metadata: true })
    : MISSING;
  const sight = filter?.visible_to ?? { user_id: undefined, scopes: [] };
  const seen = sampled !== MISSING && sampled.every(({ metadata }) => isInSight(sight, metadata));
  if (seen && sampled.length >= limit) return sampled.slice(0, limit);
  const found = await ask({ limit, where: seen ? undefined : where, metadata: false });
  return found === MISSING ? [] : found;
};

/** Makes the adapter; it connects with the first call. Throws `config_invalid` on an address that is none. */
export const createChromaServer = (settings: ChromaSettings): VectorServer => {
  const { dimensions } = settings;
  const http = createChromaHttp({
    url: settings.url,
    token: settings.token,
    timeout_ms: settings.timeout_ms ?? TIMEOUT_MS,
    connect_timeout_ms: settings.connect_timeout_ms ?? CONNECT_TIMEOUT_MS,
    wait: settings.wait,
  });
  const place = { tenant: settings.tenant ?? 'default_tenant', database: settings.database ?? 'default_database' };
  const api = createChromaApi(http, place);
  const name = `haivemind-${modelHash(settings)}`;
  const useCollection = createCollection(api, name, settings);
  const bodyRecords = Math.max(1, Math.floor(BODY_MAX_BYTES / (dimensions * NUMBER_BYTES + METADATA_BYTES)));
  let batch: number | undefined;

  /** Chunks that are no longer there go first, so that a memory whose revision agrees has no others. */
  const putSlice = async (id: string, memories: readonly IndexedMemory[]): Promise<OrMissing<true>> => {
    const records = memories.flatMap(recordsOf);
    const stored = await api.get(id, whereRows(memories.map(({ row_id }) => row_id)));
    if (stored === MISSING) return MISSING;
    const old = new Map(stored.map((record) => [record.id, record.metadata]));
    const kept = new Set(records.map((record) => record.id));
    const gone = [...old.keys()].filter((each) => !kept.has(each));
    batch ??= Math.min(bodyRecords, await api.maxBatch());
    for (const ids of slices(gone, batch)) if ((await api.remove(id, { ids })) === MISSING) return MISSING;
    const fresh = records.map((record): ChromaRecord => {
      const metadata: Metadata = withoutOldKeys(record.metadata, old.get(record.id));
      return { ...record, metadata };
    });
    for (const part of slices(fresh, batch)) if ((await api.upsert(id, part)) === MISSING) return MISSING;
    return true;
  };

  return {
    kind: 'chroma',
    place: http.place,
    async put(memories) {
      for (const slice of slices(lastOfEach(memories, settings), ROWS_PER_CONDITION)) {
        if ((await useCollection(true, (id) => putSlice(id, slice))) !== MISSING) continue;
        const hint = 'Look for another program that removes collections of this server.';
        throw failure('unavailable', `Chroma at ${http.place} loses the collection as it is written.`, hint);
      }
    },
    async remove(row_ids) {
      for (const slice of slices(row_ids, ROWS_PER_CONDITION))
        await useCollection(false, (id) => api.remove(id, { where: whereRows(slice) }));
    },
    async nearest(query, { limit, filter, allowed, signal }) {
      expectDimensions(query, settings);
      const found = await nearRecords(
        (asked) => useCollection(false, (id) => api.query(id, { vector: query, signal, ...asked })),
        { limit, filter, allowed },
      );
      // Chroma's distance for this space is one minus the inner product.
      return found.flatMap(({ id, distance }): NearChunk[] => {
        const read = readRecordId(id);
        return read ? [{ ...read, score: 1 - distance }] : [];
      });
    },
    async revisions(after_row_id, limit) {
      const page = await useCollection(false, (id) =>
        readHeads((where, most) => api.get(id, where, most), after_row_id, limit),
      );
      return page === MISSING ? [] : page;
    },
    async count() {
      const count = await useCollection(false, (id) => api.count(id));
      return count === MISSING ? 0 : count;
    },
    clear: () => api.drop(name),
    async check() {
      const version = await api.version();
      const started = performance.now();
      await api.heartbeat();
      const latency_ms = performance.now() - started;
      await api.find(name);
      return { version, latency_ms };
    },
    async [Symbol.asyncDispose]() {
      http[Symbol.dispose]();
    },
  };
};
