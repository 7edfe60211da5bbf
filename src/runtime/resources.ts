// Resources a client reads by URI, each by the operation that shows the same: so the same policy and checks hold.
import { failure } from '../kernel/errors.ts';
import type { Executor } from '../kernel/execute.ts';
import type { OperationContext, Principal, SessionHandle } from '../kernel/operation.ts';
import type { ResourceContent, ResourceEntry } from '../surfaces/runtime.ts';
import { memoryUri, type ResourceRef, resourceMeant } from './resource-uris.ts';

const LISTED_COUNT = 20;

export interface Resources {
  read(uri: string, principal: Principal, session?: SessionHandle): Promise<ResourceContent>;
  list(principal: Principal): Promise<readonly ResourceEntry[]>;
}

/** Lists that everybody has, each with what they may see in it. */
const LISTS: readonly ResourceEntry[] = [
  {
    uri: 'haivemind://tasks',
    name: 'tasks',
    mime_type: 'application/json',
    description: 'The plan: stories and tasks in the order they should be done.',
  },
  { uri: 'haivemind://agents', name: 'agents', mime_type: 'application/json', description: 'Agents and what they do.' },
];

export function createResources(executor: Executor): Resources {
  return {
    async read(uri, principal, session) {
      const resource = resourceMeant(uri);
      const { operation, input, name } = callFor(resource);
      const { output } = await executor.execute(operation, input, internalContext(principal, { session }));
      // A list that was asked for one of its entries.
      if (resource.kind === 'project' && (output.projects as readonly unknown[]).length === 0)
        throw failure(
          'not_found',
          `There is no project ${resource.id}, or you may not see it.`,
          'Look at list_projects.',
        );
      return { uri, name, mime_type: 'application/json', text: JSON.stringify(output, null, 2) };
    },
    async list(principal) {
      const { output } = await executor.execute(
        'search_memories',
        { limit: LISTED_COUNT, detail: 'summary' },
        internalContext(principal),
      );
      const results = output.results as readonly { memory_id: string; content?: string; category?: string }[];
      const memories = results.map((row) => ({
        uri: memoryUri(row.memory_id),
        name: row.memory_id,
        mime_type: 'application/json',
        ...(row.category ? { description: `A memory in ${row.category}` } : {}),
      }));
      return [...LISTS, ...memories];
    },
  };
}

interface ResourceCall {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly name: string;
}

function callFor(resource: ResourceRef): ResourceCall {
  switch (resource.kind) {
    case 'memory':
      return { operation: 'retrieve_memory', input: { memory_id: resource.id }, name: resource.id };
    case 'task':
      return { operation: 'get_kanban_task', input: { task_id: resource.id }, name: resource.id };
    case 'project':
      return { operation: 'list_projects', input: { project_id: resource.id }, name: resource.id };
    case 'inbox':
      return { operation: 'check_inbox', input: { agent_id: resource.id }, name: `inbox of ${resource.id}` };
    case 'tasks':
      return { operation: 'list_kanban_tasks', input: { order: 'sequence', limit: 100 }, name: 'tasks' };
    case 'agents':
      return { operation: 'get_agent_roster', input: {}, name: 'agents' };
  }
}

interface InternalOptions {
  readonly signal?: AbortSignal | undefined;
  /** The agent session on whose behalf it is made; absent: none. */
  readonly session?: SessionHandle | undefined;
}

/** A call the server makes on behalf of a principal. It is no sign of life of an agent. */
export function internalContext(principal: Principal, { signal, session }: InternalOptions = {}): OperationContext {
  return {
    principal,
    session: { key: session?.key ?? `internal:${principal.user_id}`, transport: 'internal' },
    request_id: crypto.randomUUID(),
    signal: signal ?? new AbortController().signal,
    reportProgress: () => {},
  };
}
