// Keeps the sessions of this hub and the store's record of them alike: in use is noted, ended elsewhere ends here.
import { limits } from '../../kernel/limits.ts';
import type { SharedSubscriptions } from '../mcp/subscriptions.ts';
import type { Runtime } from '../runtime.ts';
import type { McpSession, McpSessions } from './mcp-sessions.ts';

interface KeptSession extends McpSession {
  /** Where other hubs can change them. */
  readonly subscriptions?: SharedSubscriptions;
}

/** Returns the way to stop. */
export function keepInStore<S extends KeptSession>(
  { mcpSessions, relay, log }: Runtime,
  here: McpSessions<S>,
): () => void {
  async function touch(): Promise<void> {
    const used = here.takeUsed();
    const left = await mcpSessions.touch(used);
    for (const session_id of used) if (!left.has(session_id)) here.end(session_id);
  }
  /** After a gap: what others told meanwhile is in the store. */
  async function readAgain(): Promise<void> {
    for (const session_id of here.ids()) {
      const record = await mcpSessions.load(session_id);
      if (record) here.peek(session_id)?.subscriptions?.replace(record.state.subscriptions);
      else here.end(session_id);
    }
  }
  const guarded = (work: () => Promise<void>) => () =>
    void work().catch((error: unknown) =>
      log.warn({ err: error }, 'MCP sessions could not be compared with the store'),
    );
  const timer = setInterval(guarded(touch), limits.mcp_session_touch_interval_ms);
  timer.unref();
  const stopGaps = relay.onGap(guarded(readAgain));
  return () => {
    clearInterval(timer);
    stopGaps();
  };
}
