// What the team rules need.
import type { Principal } from '../../kernel/operation.ts';
import type { Database, Trx } from '../../storage/database.ts';
import type { Audit, AuditTables } from '../audit/index.ts';
import type { TeamTables } from './tables.ts';

export interface TeamDeps {
  readonly store: Database<TeamTables & AuditTables>;
  readonly audit: Pick<Audit, 'append'>;
}

export type TeamTrx = Trx<TeamTables & AuditTables>;

/** A write to one team: the team's row is held, and the principal has the memberships of this moment. */
export interface TeamWrite {
  readonly deps: TeamDeps;
  readonly trx: TeamTrx;
  readonly principal: Principal;
  readonly team_id: string;
  readonly now_ms: number;
}
