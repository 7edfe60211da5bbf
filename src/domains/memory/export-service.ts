// Exports: all memories the caller may see, streamed in the order they were stored.
import type { Principal } from '../../kernel/operation.ts';
import { exportJsonl, exportMarkdown } from './export/index.ts';
import { changeableBy, visibleTo } from './filters.ts';
import type { MemoryDatabase } from './repository.ts';
import type { Memory } from './schema.ts';
import { recordsFor } from './shown.ts';

const PAGE_COUNT = 500;

export interface ExportRequest {
  readonly format: 'jsonl' | 'markdown';
  readonly project?: string;
  readonly category?: string;
  readonly include_deleted?: boolean;
  readonly signal: AbortSignal;
}

/** Text in pieces; memory use does not grow with the store. */
export async function* exportMemories(
  store: MemoryDatabase,
  principal: Principal,
  request: ExportRequest,
): AsyncGenerator<string> {
  const memories = readAll(store, principal, request);
  yield* request.format === 'markdown' ? exportMarkdown(memories) : exportJsonl(memories);
}

async function* readAll(store: MemoryDatabase, principal: Principal, request: ExportRequest): AsyncGenerator<Memory> {
  const { project, category } = request;
  for (let after = 0; ; ) {
    request.signal.throwIfAborted();
    let query = store.db
      .selectFrom('memories')
      .selectAll()
      .where('row_id', '>', after)
      .where((eb) => visibleTo(eb, principal));
    query = query.where((eb) =>
      request.include_deleted
        ? eb.or([eb('deleted_at', 'is', null), changeableBy(eb, principal)])
        : eb('deleted_at', 'is', null),
    );
    if (project !== undefined) query = query.where('project', '=', project);
    if (category !== undefined) query = query.where('category', '=', category);
    const rows = await query.orderBy('row_id').limit(PAGE_COUNT).execute();
    yield* await recordsFor(store.db, rows, principal);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE_COUNT) return;
    after = last.row_id;
  }
}
