// Resources a client may read by URI: haivemind://memory/{id}.
import { failure } from '../kernel/errors.ts';
import type { Executor } from '../kernel/execute.ts';
import type { OperationContext, Principal } from '../kernel/operation.ts';
import type { ResourceContent, ResourceEntry } from '../surfaces/runtime.ts';
import { memoryUri } from './resource-uris.ts';

const MEMORY_URI = /^haivemind:\/\/memory\/([^/?#]+)$/;
const LISTED_COUNT = 20;

export interface Resources {
  read(uri: string, principal: Principal): Promise<ResourceContent>;
  list(principal: Principal): Promise<readonly ResourceEntry[]>;
}

/** Reads through the same operations as everybody else, so that the same policy and checks hold. */
export function createResources(executor: Executor): Resources {
  return {
    async read(uri, principal) {
      const match = MEMORY_URI.exec(uri);
      if (!match)
        throw failure('not_found', 'There is no such resource.', 'Memories are at haivemind://memory/{memory_id}.');
      const { output } = await executor.execute(
        'retrieve_memory',
        { memory_id: decode(match[1] ?? '') },
        internalContext(principal),
      );
      return {
        uri,
        name: String(output.memory_id),
        mime_type: 'application/json',
        text: JSON.stringify(output, null, 2),
      };
    },
    async list(principal) {
      const { output } = await executor.execute(
        'search_memories',
        { limit: LISTED_COUNT, detail: 'summary' },
        internalContext(principal),
      );
      const results = output.results as readonly { memory_id: string; content?: string; category?: string }[];
      return results.map((row) => ({
        uri: memoryUri(row.memory_id),
        name: row.memory_id,
        mime_type: 'application/json',
        ...(row.category ? { description: `A memory in ${row.category}` } : {}),
      }));
    },
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw failure('invalid_input', 'The resource URI is not valid.', 'Escape only what has to be escaped.');
  }
}

/** A call the server makes on behalf of a principal; it belongs to no agent session. */
export function internalContext(principal: Principal, signal = new AbortController().signal): OperationContext {
  return {
    principal,
    session: { key: `internal:${principal.user_id}`, transport: 'internal' },
    request_id: crypto.randomUUID(),
    signal,
    reportProgress: () => {},
  };
}
