// The audit log: rows are added one after the other, in the transaction of what they report, and read newest first.
import { toIso } from '../../kernel/clock.ts';
import type { Database } from '../../storage/database.ts';
import { appendRow } from './append.ts';
import { eraseSubject } from './erase.ts';
import { listRows } from './list.ts';
import type { AuditTables } from './tables.ts';
import type { Audit } from './types.ts';
import { verifyChain } from './verify.ts';

export function createAudit(store: Database<AuditTables>): Audit {
  return {
    append: (trx, actor, entry) => appendRow(store, trx, actor, entry),
    record: (actor, entry) => store.write((trx) => appendRow(store, trx, actor, entry)),
    list: (filter) => listRows(store.db, filter),
    eraseSubject: (trx, user_id, actor) => eraseSubject(store, trx, user_id, actor),
    verify: (how) => verifyChain(store, how),
    async anchor() {
      const { seq, hash } = await store.db
        .selectFrom('audit_head')
        .select(['seq', 'hash'])
        .where('only_row', '=', 1)
        .executeTakeFirstOrThrow();
      return { store_id: store.store_id, seq, hash, at: toIso(store.clock.now()) };
    },
  };
}
