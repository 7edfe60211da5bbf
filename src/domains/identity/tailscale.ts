// Who is behind an address of a tailnet: asked of the Tailscale daemon on this machine, over its unix socket.
// Source: the daemon's LocalAPI, GET /localapi/v0/whois?addr=ip:port.
import { request } from 'node:http';
import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../kernel/clock.ts';
import { ID_PATTERN } from '../../kernel/ids.ts';
import { limits } from '../../kernel/limits.ts';
import { isTailnet } from '../../kernel/tailnet.ts';
import type { KnownCaller } from './token-checks.ts';

/** The daemon answers to this name only, so that no web page can ask it. */
const LOCAL_API_HOST = 'local-tailscaled.sock';
/** Profile of machines that belong to a tag and not to a person. */
const TAGGED = 'tagged-devices';

export interface TailscaleOptions {
  /** Path of the daemon's unix socket. */
  readonly socket: string;
  readonly clock: Clock;
}

/** Undefined: no tailnet address, nobody known, a tagged machine, or no daemon that answers in time. Never rejects. */
export type Whois = (remote_address: string, remote_port: number) => Promise<KnownCaller | undefined>;

export function createWhois({ socket, clock }: TailscaleOptions): Whois {
  const answers = new LRUCache<string, { readonly at_ms: number; readonly caller: KnownCaller | undefined }>({
    max: limits.tailscale_cache_max_count,
  });
  return async (remote_address, remote_port) => {
    const address = remote_address.replace(/^::ffff:(?=\d+\.)/i, '');
    if (!isTailnet(address)) return undefined;
    const target = `${isIPv6(address) ? `[${address}]` : address}:${remote_port}`;
    const known = answers.get(target);
    const age_ms = known ? clock.now() - known.at_ms : Number.POSITIVE_INFINITY;
    if (known && age_ms >= 0 && age_ms < limits.tailscale_cache_ms) return known.caller;
    const answer = await ask(socket, target);
    // A daemon that is away is asked again: only what it said is kept.
    if (answer === undefined) return undefined;
    const caller = callerOf(answer);
    answers.set(target, { at_ms: clock.now(), caller });
    return caller;
  };
}

/** The daemon's answer as JSON; null where it knows nobody, undefined where it does not answer. */
function ask(socketPath: string, target: string): Promise<unknown> {
  return new Promise((resolve) => {
    const nothing = () => resolve(undefined);
    const asked = request(
      {
        socketPath,
        path: `/localapi/v0/whois?addr=${encodeURIComponent(target)}`,
        headers: { host: LOCAL_API_HOST, accept: 'application/json' },
        agent: false,
        signal: AbortSignal.timeout(limits.tailscale_timeout_ms),
      },
      (response) => {
        if (response.statusCode === 404) {
          response.resume();
          return resolve(null);
        }
        if (response.statusCode !== 200) {
          response.resume();
          return nothing();
        }
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > limits.tailscale_answer_max_bytes) return response.destroy();
          chunks.push(chunk);
        });
        response.on('end', () => resolve(parsed(Buffer.concat(chunks))));
        response.on('close', nothing);
        response.on('error', nothing);
      },
    );
    asked.on('error', nothing);
    asked.end();
  });
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function callerOf(answer: unknown): KnownCaller | undefined {
  const node = fieldOf(answer, 'Node');
  const login = fieldOf(fieldOf(answer, 'UserProfile'), 'LoginName');
  const tags = fieldOf(node, 'Tags');
  if (typeof login !== 'string' || login === TAGGED || (Array.isArray(tags) && tags.length > 0)) return undefined;
  if (login.length > limits.id_length_max_chars || !ID_PATTERN.test(login)) return undefined;
  // The whole name, `laptop.tail1234.ts.net`: machines shared from another tailnet may be called like one of ours.
  const name = fieldOf(node, 'Name');
  const machine_id = typeof name === 'string' ? name.replace(/\.$/, '').toLowerCase() : '';
  const isName = machine_id.length <= limits.id_length_max_chars && ID_PATTERN.test(machine_id);
  return {
    user_id: login,
    ...(isName ? { machine_id } : {}),
    credential: { kind: 'tailscale', admin: false },
  };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
