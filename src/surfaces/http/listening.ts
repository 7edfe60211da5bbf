// News for MCP 2026-07-28 clients that listen: each hears only of what it asked for and may read at that moment.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server';
import { limits } from '../../kernel/limits.ts';
import type { Principal } from '../../kernel/operation.ts';
import { urisListenedTo } from '../mcp/subscriptions.ts';
import type { Runtime } from '../runtime.ts';

export interface Listening {
  /** For the SDK, which subscribes to it while it serves a listen request. */
  readonly bus: ServerEventBus;
  /** Room for one more stream of the user, until the answer is called; undefined where it has too many. */
  enter(user_id: string): (() => void) | undefined;
  /** Serves a request as its sender: what the SDK subscribes meanwhile is this reader's. */
  as<T>(reader: Principal, body: unknown, serve: () => Promise<T>): Promise<T>;
}

interface Asking {
  readonly reader: Principal;
  readonly uris: ReadonlySet<string>;
}

export function createListening(runtime: Pick<Runtime, 'mayReadResource'>): Listening {
  // The SDK tells the bus nothing of whom it subscribes for.
  const asking = new AsyncLocalStorage<Asking>();
  const open = new Map<string, number>();
  const listeners = new Map<(event: ServerEvent) => void, Asking>();

  async function tell(uri: string, listener: (event: ServerEvent) => void, { reader }: Asking): Promise<void> {
    if ((await runtime.mayReadResource(uri, reader)) && listeners.has(listener))
      listener({ kind: 'resource_updated', uri });
  }

  return {
    bus: {
      publish(event) {
        if (event.kind !== 'resource_updated') return;
        for (const [listener, who] of listeners) if (who.uris.has(event.uri)) void tell(event.uri, listener, who);
      },
      subscribe(listener) {
        const who = asking.getStore();
        if (who) listeners.set(listener, who);
        return () => void listeners.delete(listener);
      },
    },
    enter(user_id) {
      const count = open.get(user_id) ?? 0;
      if (count >= limits.mcp_sessions_max_count) return undefined;
      open.set(user_id, count + 1);
      return () => {
        const left = (open.get(user_id) ?? 1) - 1;
        if (left === 0) open.delete(user_id);
        else open.set(user_id, left);
      };
    },
    as: (reader, body, serve) => asking.run({ reader, uris: new Set(urisListenedTo(body)) }, serve),
  };
}
