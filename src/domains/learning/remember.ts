// One event as one memory: what it says, whose it is, and where it goes.
import { limits } from '../../kernel/limits.ts';
import type { Membership, Principal } from '../../kernel/operation.ts';
import { type MemoryDeps, newMemorySchema, storeMemory } from '../memory/index.ts';
import type { EventPayload, EventRow } from './events.ts';

/** Stores the memory of an event and returns its id; the same event makes one memory, however often it is stored. */
export async function rememberEvent(memory: MemoryDeps, row: EventRow): Promise<string> {
  const payload = JSON.parse(row.payload) as EventPayload;
  const input = newMemorySchema.parse({
    content: payload.content.trim() === '' ? payload.title : `${payload.title}\n\n${payload.content}`,
    category: payload.category,
    // Whoever reports joins labels of several kinds: the first ones say most.
    tags: payload.tags.slice(0, limits.tags_max_count),
    metadata: provenanceOf(row, payload.facts),
    scope: row.scope,
    importance: payload.importance,
    occurred_at: row.created_at,
    ...(row.project_id === null ? {} : { project_id: row.project_id }),
  });
  const caller = { principal: authorOf(row), project: undefined };
  const extras = {
    source: row.entity,
    external_id: `learned:${row.event_id}`,
    skip_twin: true,
    ...(row.team_id === null ? {} : { team_id: row.team_id }),
  };
  return (await storeMemory(memory, input, caller, extras)).memory_id;
}

/** Ids of all it came from. */
function provenanceOf(row: EventRow, facts: EventPayload['facts']) {
  const { kind, entity, entity_id, agent_id, machine_id, project_id } = row;
  return { ...facts, kind, [`${entity}_id`]: entity_id, agent_id, machine_id, project_id };
}

/**
 * Whoever it happened to, also where another process makes the memory. That they may write there was decided when they
 * reported it, and what they may do by now changes nothing about what happened: the place is granted for this one text.
 */
function authorOf({ user_id, agent_id, machine_id, team_id }: EventRow): Principal {
  const place: Membership | undefined =
    team_id === null
      ? undefined
      : { team_id, team_name: '', role: 'member', capabilities: new Set(['memory.read', 'memory.write']) };
  return { user_id, agent_id, machine_id, teams: place ? [place] : [] };
}
