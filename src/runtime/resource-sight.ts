// Who hears of a change: whoever may read the resource at that moment, by the same policy as everything else.
import { mayCall } from '../domains/access/index.ts';
import type { Principal } from '../kernel/operation.ts';
import type { Database } from '../storage/database.ts';
import type { Log } from '../surfaces/runtime.ts';
import type { Gate } from './admit.ts';
import type { ChangeFeed, ChangeKind } from './change-feed.ts';
import { type EventStore, VIEWS } from './event-views.ts';
import { resourceIn } from './resource-uris.ts';

export interface SightDeps {
  readonly store: Database;
  readonly gate: Pick<Gate, 'withTeams'>;
  readonly feed: Pick<ChangeFeed, 'subscribe'>;
  readonly log: Log;
}

/** Changes of lists are judged by what changed in them, which is remembered so long. */
const RECENT_MS = 5_000;
const RECENT_COUNT = 100;

/**
 * Whether the principal may read the resource now, or could until it was deleted. Lists are everybody's, each with what
 * they may see in it: of those, whether anything changed lately that the principal may see. False for what is not
 * there. Never rejects.
 */
export function createResourceSight({ store: anyStore, gate, feed, log }: SightDeps) {
  const store = anyStore as unknown as EventStore;
  const recent = { task: recentChanges(feed, 'task'), agent: recentChanges(feed, 'agent') };

  async function mayRead(uri: string, principal: Principal): Promise<boolean> {
    const resource = resourceIn(uri);
    if (!resource) return false;
    switch (resource.kind) {
      case 'tasks':
        return seesAny('task', recent.task(), principal);
      case 'agents':
        return seesAny('agent', await registrationsOf(recent.agent()), principal);
      case 'inbox':
        return ownsAgent(resource.id, principal);
      default:
        return seesAny(resource.kind, [resource.id], principal);
    }
  }
  async function seesAny(entity: string, ids: readonly string[], caller: Principal): Promise<boolean> {
    const view = VIEWS[entity];
    if (!view || ids.length === 0 || !mayCall(caller, view.permission).allowed) return false;
    return (await view.read(store, ids, await gate.withTeams(caller))).size > 0;
  }
  /** Changes name an agent as everybody does; its record has an id of its own. */
  async function registrationsOf(agent_ids: readonly string[]): Promise<string[]> {
    if (agent_ids.length === 0) return [];
    const rows = await store.db
      .selectFrom('agents')
      .select('registration_id')
      .where('agent_id', 'in', agent_ids)
      .execute();
    return rows.map(({ registration_id }) => registration_id);
  }
  async function ownsAgent(agent_id: string, principal: Principal): Promise<boolean> {
    if (!mayCall(principal, 'agent.read').allowed) return false;
    const agent = await store.db
      .selectFrom('agents')
      .select('user_id')
      .where('agent_id', '=', agent_id)
      .executeTakeFirst();
    return agent?.user_id === principal.user_id;
  }
  return async (uri: string, principal: Principal): Promise<boolean> => {
    try {
      return await mayRead(uri, principal);
    } catch (err) {
      // Whoever waits for news misses some; that is better than news to somebody they are not for.
      log.warn({ err }, 'who may hear of a change could not be found out');
      return false;
    }
  };
}

function recentChanges(feed: Pick<ChangeFeed, 'subscribe'>, wanted: ChangeKind): () => readonly string[] {
  let changes: { readonly id: string; readonly at_ms: number }[] = [];
  // Before any listener of the surfaces, which are made later, so it is known when they ask.
  feed.subscribe((kind, id) => {
    if (kind === wanted) changes = [...changes.slice(1 - RECENT_COUNT), { id, at_ms: performance.now() }];
  });
  return () => {
    const since_ms = performance.now() - RECENT_MS;
    return [...new Set(changes.filter(({ at_ms }) => at_ms >= since_ms).map(({ id }) => id))];
  };
}
