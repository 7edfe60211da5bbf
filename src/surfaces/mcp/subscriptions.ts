// Which resources a client wants to hear of: in this instance, and for a session of several hubs also kept and told.

import { z } from 'zod';
import { type ErrorBody, failure, toErrorBody } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';
import type { Runtime } from '../runtime.ts';

const SUBSCRIPTIONS_MAX_COUNT = 1_000;

export interface Subscriptions {
  has(uri: string): boolean;
  /**
   * Resolves when it holds wherever the session is served. Further ones than a client may have are ignored. Rejects with
   * `limit_exceeded` for a URI longer than any of ours.
   */
  add(uri: string): Promise<void>;
  remove(uri: string): Promise<void>;
}

/** Where changes of a session's subscriptions go. */
export interface SubscriptionSink {
  added(uri: string): Promise<void>;
  removed(uri: string): Promise<void>;
}

export interface SharedSubscriptions extends Subscriptions {
  /** Takes over what another hub did; tells nobody. */
  apply(kind: 'subscribed' | 'unsubscribed', uri: string): void;
  replace(uris: readonly string[]): void;
}

export function createSubscriptions(uris: readonly string[] = [], sink?: SubscriptionSink): SharedSubscriptions {
  let subscribed = new Set(uris);
  return {
    has: (uri) => subscribed.has(uri),
    async add(uri) {
      if (uri.length > limits.resource_uri_length_max_chars)
        throw failure(
          'limit_exceeded',
          'No resource has so long a URI.',
          'Subscribe to haivemind://memory/{memory_id}.',
        );
      if (subscribed.has(uri) || subscribed.size >= SUBSCRIPTIONS_MAX_COUNT) return;
      await sink?.added(uri);
      subscribed.add(uri);
    },
    async remove(uri) {
      if (!subscribed.has(uri)) return;
      await sink?.removed(uri);
      subscribed.delete(uri);
    },
    apply(kind, uri) {
      if (kind === 'unsubscribed') subscribed.delete(uri);
      else if (subscribed.size < SUBSCRIPTIONS_MAX_COUNT) subscribed.add(uri);
    },
    replace(now) {
      subscribed = new Set(now);
    },
  };
}

/** The resources a `subscriptions/listen` request names; none in any other message. */
export function urisListenedTo(message: unknown): readonly string[] {
  const { data } = listenRequest.safeParse(message);
  return data?.params.notifications.resourceSubscriptions ?? [];
}

/** What to answer where one of these can be no resource. Tells nothing of whether there is one of such a name. */
export function resourceRefusal(
  runtime: Pick<Runtime, 'assertResourceUri'>,
  uris: readonly string[],
): ErrorBody | undefined {
  try {
    for (const uri of uris) runtime.assertResourceUri(uri);
    return undefined;
  } catch (error) {
    return toErrorBody(error);
  }
}

const listenRequest = z.object({
  method: z.literal('subscriptions/listen'),
  params: z.object({ notifications: z.object({ resourceSubscriptions: z.array(z.string()).optional() }) }),
});
