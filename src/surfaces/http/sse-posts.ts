// A message of an HTTP+SSE client that reached a hub without its stream: handed to the hub that has it, and confirmed.
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { limits } from '../../kernel/limits.ts';
import { PERMISSIONS } from '../../kernel/operation.ts';
import type { Sender } from '../mcp/sender.ts';
import type { Relay, Runtime } from '../runtime.ts';

const CHANNEL = 'mcp:sse';
/** A hub that lives notes its sessions at every interval. */
const HUB_SILENCE_MAX_MS = 2.5 * limits.mcp_session_touch_interval_ms;

const credential = z.object({
  kind: z.enum(['local', 'token', 'issuer', 'tailscale']),
  admin: z.boolean(),
  scopes: z.array(z.enum(PERMISSIONS)).exactOptional(),
  credential_id: z.string().exactOptional(),
  agent_id: z.string().exactOptional(),
  machine_id: z.string().exactOptional(),
});

const sender = z.object({
  user_id: z.string(),
  agent_id: z.string().optional(),
  default_agent_id: z.string(),
  machine_id: z.string(),
  credential: credential.optional(),
});

const post = z.object({ session_id: z.string(), hub: z.string(), sender, message: z.unknown() });

/** A message with who sent it: the hub that received it has checked the credential. */
export interface SsePost {
  readonly session_id: string;
  readonly sender: Sender;
  readonly message: unknown;
}

/** `silent`: the hub with the stream did not confirm in time; whether it took the message is not known. */
export type HandedOver = 'taken' | 'unknown' | 'silent';

/** Asks once, so that no message is taken twice. */
export async function handToHub(
  { mcpSessions, relay }: Runtime,
  clock: Clock,
  { session_id, sender, message }: SsePost,
): Promise<HandedOver> {
  if (session_id === '' || session_id.length > limits.id_length_max_chars) return 'unknown';
  const record = await mcpSessions.load(session_id);
  const { hub, hub_key: public_key } = record?.state ?? {};
  // Somebody else's session is as good as none: its name must tell nothing.
  if (record?.owner !== sender.user_id || hub === undefined || public_key === undefined) return 'unknown';
  if (hub === relay.member_id) return 'unknown';
  if (clock.now() - record.last_seen_at_ms > HUB_SILENCE_MAX_MS) return 'unknown';
  const answer = await relay.ask(
    CHANNEL,
    { session_id, hub, sender, message },
    { public_key, timeout_ms: limits.mcp_relay_timeout_ms },
  );
  if (answer === undefined) return 'silent';
  return answer === 'taken' ? 'taken' : 'unknown';
}

/** Takes what reached other hubs; `take` says whether the stream is here. Returns the way to stop. */
export function answerPosts(relay: Relay, take: (post: SsePost) => Promise<boolean>): () => void {
  return relay.answer(CHANNEL, (question) => {
    const { data } = post.safeParse(question);
    if (data?.hub !== relay.member_id) return undefined;
    return take(data).then((taken) => (taken ? 'taken' : 'gone'));
  });
}
