// What hubs tell each other about MCP sessions: that one ended, what its client subscribed to, which call it gave up.
import { z } from 'zod';
import type { Relay } from '../runtime.ts';

const event = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ended'), session_id: z.string() }),
  z.object({ type: z.literal('subscribed'), session_id: z.string(), uri: z.string() }),
  z.object({ type: z.literal('unsubscribed'), session_id: z.string(), uri: z.string() }),
  z.object({
    type: z.literal('cancelled'),
    session_id: z.string(),
    message: z.looseObject({ jsonrpc: z.literal('2.0'), method: z.literal('notifications/cancelled') }),
  }),
]);

export type SessionEvent = z.infer<typeof event>;

const CHANNEL = 'mcp:sessions';

export function tellHubs(relay: Relay, told: SessionEvent): Promise<void> {
  return relay.publish(CHANNEL, told);
}

/** Returns the way to stop. What is no such event comes from a hub of another version, and is not for this one. */
export function hearHubs(relay: Relay, listener: (heard: SessionEvent) => void): () => void {
  return relay.subscribe(CHANNEL, (message) => {
    const { data } = event.safeParse(message);
    if (data) listener(data);
  });
}
