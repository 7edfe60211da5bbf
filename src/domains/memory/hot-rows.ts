// Memories that are read again and again, kept where all hubs see them and forgotten before a change of them commits.
import type { Principal } from '../../kernel/operation.ts';
import type { ChangeMark, SharedCache } from '../../storage/coordination/port.ts';
import { isVisibleTo } from './filters.ts';
import type { MemoryRow } from './record.ts';
import { findRow, type MemoryDatabase, type MemoryTrx } from './repository.ts';

const TTL_MS = 60_000;
const decoder = new TextDecoder();

export interface HotRows {
  /** The store with every change of a memory announced to the cache before it commits. */
  readonly store: MemoryDatabase;
  /** A living row the principal may see, from the cache where it is there. */
  find(memory_id: string, principal: Principal): Promise<MemoryRow | undefined>;
}

const keyOf = (memory_id: string): string => `memory:${memory_id}`;

export function createHotRows(base: MemoryDatabase, cache: SharedCache): HotRows {
  /** What the work that runs in a transaction at the moment has begun to change. */
  const marks = new WeakMap<MemoryTrx, ChangeMark[]>();
  const store: MemoryDatabase = {
    ...base,
    async write(work) {
      const begun: ChangeMark[] = [];
      try {
        return await base.write((trx) => {
          marks.set(trx, begun);
          return work(trx);
        });
      } finally {
        await Promise.all(begun.map((mark) => mark.settled()));
      }
    },
    async beforeChange(trx, memory_id) {
      marks.get(trx)?.push(await cache.begin([keyOf(memory_id)]));
    },
  };
  return {
    store,
    async find(memory_id, principal) {
      const looked = await cache.look(keyOf(memory_id));
      if (looked.value) return visible(JSON.parse(decoder.decode(looked.value)) as MemoryRow, principal);
      const row = await findRow(base.db, memory_id);
      if (row) await looked.fill(Buffer.from(JSON.stringify(row)), { ttl_ms: TTL_MS });
      return visible(row, principal);
    },
  };
}

function visible(row: MemoryRow | undefined, principal: Principal): MemoryRow | undefined {
  return row?.deleted_at === null && isVisibleTo(row, principal) ? row : undefined;
}
