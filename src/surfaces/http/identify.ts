// Who sends a request: the machine's owner, the user of a token, or a peer of the tailnet. What says nothing is refused.
import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { HaivemindError } from '../../kernel/errors.ts';
import { isTailnet } from '../../kernel/tailnet.ts';
import type { Identities, Identity } from '../runtime.ts';
import {
  forwardedBy,
  type GuardSettings,
  type Incoming,
  isLoopback,
  isTrusted,
  type Refusal,
  tokenIn,
  unknownCaller,
  withoutMapping,
} from './guards.ts';

export interface KnownCaller {
  /** Undefined: the machine's owner, by where the request comes from. */
  readonly identity: Identity | undefined;
  /** Whether it would be known by the same credential now too; absent where that cannot change. */
  readonly stillHolds?: () => Promise<boolean>;
  /** Equal for requests that share `stillHolds`. Not for logs: it holds the token. */
  readonly key?: string;
}

/** A credential that is sent decides, also on loopback: a wrong one is refused rather than overlooked. */
export async function identify(
  identities: Identities,
  incoming: Incoming,
  settings: GuardSettings,
): Promise<KnownCaller | Refusal> {
  const token = tokenIn(incoming);
  if (typeof token === 'string' && isOwnerKey(token, incoming, settings)) return { identity: undefined };
  if (typeof token === 'string') return byToken(identities, token);
  if (token) return token;
  if (isTrusted(incoming, settings)) return { identity: undefined };
  const { remote_address, remote_port } = incoming;
  if (remote_address === undefined || remote_port === undefined || !cameOverTailnet(incoming))
    return unknownCaller(incoming);
  const identity = await identities.peer(remote_address, remote_port);
  if (!identity) return unknownCaller(incoming);
  return {
    identity,
    key: `peer ${remote_address} ${remote_port}`,
    stillHolds: async () => (await identities.peer(remote_address, remote_port))?.user_id === identity.user_id,
  };
}

/**
 * Whoever is on this machine may call from its tailnet address too, so that says nothing of them: the connection has to
 * come in at that address, and from another one. Whoever forwards a request is not who sends it.
 */
function cameOverTailnet(incoming: Incoming): boolean {
  const { local_address = '', remote_address = '' } = incoming;
  if (forwardedBy(incoming) !== undefined || !isTailnet(local_address)) return false;
  return !isSameAddress(local_address, remote_address);
}

function isSameAddress(one: string, other: string): boolean {
  return one !== '' && withoutMapping(one) === withoutMapping(other);
}

/** Only from this machine itself: a key that was carried elsewhere is good for nothing there. */
function isOwnerKey(token: string, incoming: Incoming, { owner_key }: GuardSettings): boolean {
  if (!isFromThisMachine(incoming) || forwardedBy(incoming) !== undefined) return false;
  const [given, wanted] = [Buffer.from(token), Buffer.from(owner_key)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/**
 * Over loopback, or from the very address it came to: a hub that listens on one address of the network alone is reached
 * there by its own machine too, and what is sent to an own address does not leave the machine.
 */
function isFromThisMachine({ remote_address = '', local_address = '' }: Incoming): boolean {
  return isLoopback(remote_address) || isSameAddress(remote_address, local_address);
}

async function byToken(identities: Identities, token: string): Promise<KnownCaller | Refusal> {
  try {
    const identity = await identities.bearer(token);
    return { identity, key: `token ${token}`, stillHolds: () => accepted(identities, token) };
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return { status: 401, reason: 'token_refused', challenge: 'invalid_token', body: error.toJSON() };
  }
}

async function accepted(identities: Identities, token: string): Promise<boolean> {
  try {
    await identities.bearer(token);
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

function isRefusal(error: unknown): error is HaivemindError {
  return error instanceof HaivemindError && error.code === 'unauthenticated';
}

const known = new WeakMap<FastifyRequest, KnownCaller>();

export function remember(request: FastifyRequest, caller: KnownCaller): void {
  known.set(request, caller);
}

/** Undefined on paths that are open to everybody. */
export function callerOf(request: FastifyRequest): KnownCaller | undefined {
  return known.get(request);
}
