// The memory domain put together: what its operations and compose.ts work with.
import type { OperationContext } from '../../kernel/operation.ts';
import type { HotRows } from './hot-rows.ts';
import type { MemoryImport } from './import-service.ts';
import type { Caller, RuleDeps } from './rules/deps.ts';
import type { MemorySearch } from './search/search.ts';

export interface MemoryDeps extends RuleDeps {
  readonly hot: HotRows;
  readonly search: MemorySearch;
  readonly imports: MemoryImport;
}

/** The caller of an operation, as the rules know one. */
export function callerOf(ctx: OperationContext): Caller {
  const { principal, mode, session, project } = ctx;
  return { principal, mode, project: project?.name ?? session.project, project_id: project?.project_id };
}
