// Memories that belong to a project, for what the projects domain says about one.
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Principal } from '../../kernel/operation.ts';
import { inPlace, type WorkFacts } from '../access/index.ts';
import { seen } from './filters.ts';
import { listRows, type MemoryDatabase } from './repository.ts';
import type { MemoryTables } from './tables.ts';

export interface OfProject {
  readonly project_id: string;
  /** Memories of a working directory with this name count, too, unless they are of another project by id. */
  readonly name: string;
}

export interface OfProjectQuery {
  /** One of these categories, or one of these tags; both absent: any. */
  readonly categories?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  /** ISO time; compares when it happened, or was stored where that is unknown. */
  readonly since?: string | undefined;
  /** Only what is in this place: the same for all who see the project. */
  readonly place?: WorkFacts | undefined;
}

/** Living memories of the project that the principal may see and that nothing replaced, newest first. */
export async function listOfProject(
  store: Pick<MemoryDatabase, 'db'>,
  project: OfProject,
  principal: Principal,
  query: OfProjectQuery & { readonly limit: number },
) {
  const rows = await listRows(store.db, (eb) => ofProject(eb, project, principal, query), { limit: query.limit });
  return rows.map(({ memory_id, category, content, agent_id, machine_id, created_at }) => ({
    ...{ memory_id, category, content, agent_id, machine_id, created_at },
  }));
}

export async function countOfProject(
  store: Pick<MemoryDatabase, 'db'>,
  project: OfProject,
  principal: Principal,
  query: OfProjectQuery,
): Promise<number> {
  const { n } = await store.db
    .selectFrom('memories')
    .select((eb) => eb.fn.countAll<number>().as('n'))
    .where((eb) => ofProject(eb, project, principal, query))
    .executeTakeFirstOrThrow();
  return Number(n);
}

function ofProject(
  eb: ExpressionBuilder<MemoryTables, 'memories'>,
  { project_id, name }: OfProject,
  principal: Principal,
  { categories, tags, since, place }: OfProjectQuery,
): Expression<SqlBool> {
  const all = [
    seen(eb, { include_superseded: false, ...(since === undefined ? {} : { since }) }, principal),
    sql<SqlBool>`(memories.project_id = ${project_id} or (memories.project_id is null and memories.project = ${name}))`,
  ];
  if (place) all.push(inPlace(place, 'memories'));
  const kinds: Expression<SqlBool>[] = [];
  if (categories?.length) kinds.push(eb('memories.category', 'in', categories));
  if (tags?.length) {
    const tagged = eb.selectFrom('memory_tags').select('memory_tags.row_id').where('memory_tags.tag', 'in', tags);
    kinds.push(eb('memories.row_id', 'in', tagged));
  }
  if (kinds.length > 0) all.push(eb.or(kinds));
  return eb.and(all);
}
