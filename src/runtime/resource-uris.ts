// URIs of the resources a client reads and hears of: what they look like, and what one is about.
import { failure } from '../kernel/errors.ts';
import type { ChangeKind } from './change-feed.ts';

/** A resource by what it shows; `tasks` and `agents` are lists without an id. */
export type ResourceRef =
  | { readonly kind: 'memory' | 'task' | 'project' | 'inbox'; readonly id: string }
  | { readonly kind: 'tasks' | 'agents' };

const SHAPES = [
  ['memory', /^haivemind:\/\/memory\/([^/?#]+)$/],
  ['task', /^haivemind:\/\/tasks\/([^/?#]+)$/],
  ['project', /^haivemind:\/\/projects\/([^/?#]+)$/],
  ['inbox', /^haivemind:\/\/agents\/([^/?#]+)\/inbox$/],
] as const;

export function memoryUri(memory_id: string): string {
  return `haivemind://memory/${encodeURIComponent(memory_id)}`;
}

/** The resources that a change of this record changes. */
export function urisOf(kind: ChangeKind, id: string): readonly string[] {
  const escaped = encodeURIComponent(id);
  switch (kind) {
    case 'memory':
      return [memoryUri(id)];
    case 'task':
      return [`haivemind://tasks/${escaped}`, 'haivemind://tasks'];
    case 'agent':
      return ['haivemind://agents'];
    case 'inbox':
      return [`haivemind://agents/${escaped}/inbox`];
    case 'project':
      return [`haivemind://projects/${escaped}`];
  }
}

/** What a URI is about. Throws `not_found`, naming the forms there are, for any other text. */
export function resourceMeant(uri: string): ResourceRef {
  const resource = resourceIn(uri);
  if (resource) return resource;
  throw failure(
    'not_found',
    'There is no such resource.',
    'There are haivemind://memory/{memory_id}, haivemind://tasks, haivemind://tasks/{task_id}, haivemind://projects/{project_id}, haivemind://agents and haivemind://agents/{agent_id}/inbox.',
  );
}

/**
 * Throws `not_found` for a URI of this server's scheme that no resource can have: a slip of the pen would wait for news for
 * ever. URIs of other schemes are other servers' business: whoever subscribes to one here hears nothing.
 */
export function assertSubscribable(uri: string): void {
  if (/^haivemind:/i.test(uri)) resourceMeant(uri);
}

/** What a URI is about; undefined for any other text. */
export function resourceIn(uri: string): ResourceRef | undefined {
  if (uri === 'haivemind://tasks') return { kind: 'tasks' };
  if (uri === 'haivemind://agents') return { kind: 'agents' };
  for (const [kind, shape] of SHAPES) {
    const escaped = shape.exec(uri)?.[1];
    if (escaped === undefined) continue;
    try {
      return { kind, id: decodeURIComponent(escaped) };
    } catch {
      return undefined;
    }
  }
  return undefined;
}
