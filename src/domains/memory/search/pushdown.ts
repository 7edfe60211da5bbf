// The part of a memory filter that a vector index in another program can check by itself. The rest, and the part as
// well, is checked on the rows afterwards.
import type { Principal } from '../../../kernel/operation.ts';
import type { VectorFilter, VectorSight } from '../../../storage/vectors/servers/port.ts';
import { readableTeams } from '../../access/index.ts';
import type { MemoryFilter } from '../filters.ts';

type Conditions = VectorFilter['any_of'];
type Field = Conditions[number]['field'];

/** More may pass than the filter and the principal's sight allow, never less. */
export function pushdown(filter: MemoryFilter, principal: Principal): VectorFilter {
  const wanted: readonly (readonly [Field, readonly string[] | string | undefined])[] = [
    ['category', filter.category],
    ['project', filter.project],
    ['project_id', filter.project_id],
    ['session_id', filter.session_id],
    ['machine_id', filter.machine_id],
    ['agent_id', filter.agent_id],
    ['user_id', filter.user_id],
    ['source', filter.source],
  ];
  return {
    visible_to: sightOf(filter, principal),
    any_of: wanted.flatMap(([field, values]) => conditionOn(field, values)),
    none_of: conditionOn('machine_id', filter.exclude_machines),
    tags_any: filter.tags_any ?? [],
    tags_all: filter.tags_all ?? [],
    tags_none: filter.tags_none ?? [],
  };
}

/**
 * An index does not know of which team a memory is: those of other teams pass, and the rows are checked afterwards.
 */
function sightOf({ reach }: MemoryFilter, principal: Principal): VectorSight {
  const scopes = ['shared', ...(readableTeams(principal).length > 0 ? ['team'] : [])];
  if (reach === undefined) return { user_id: principal.user_id, scopes };
  const ofScope = (scope: string) => reach.some((part) => part.user_id === undefined && part.scope === scope);
  // A memory of the scope team that names no team is its writer's alone.
  const own = reach.some((part) => part.user_id !== undefined || (part.scope === 'team' && part.team_id === undefined));
  return { user_id: own ? principal.user_id : undefined, scopes: scopes.filter(ofScope) };
}

/** As in `matching` of filters.ts: an empty list says nothing, an empty text is a value. */
function conditionOn(field: Field, values: readonly string[] | string | undefined): Conditions {
  const list = typeof values === 'string' ? [values] : (values ?? []);
  return list.length === 0 ? [] : [{ field, values: list }];
}
