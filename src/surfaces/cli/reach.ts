// Where clients reach a hub, by what it listens on, and whether they need a token there.
import { networkInterfaces } from 'node:os';
import { isLoopbackHost } from './remote-hub.ts';

export interface Reach {
  /** Base URL for clients, without a slash at the end. */
  readonly url: string;
  /** Whether a client has to send a token to it. */
  readonly token: boolean;
}

/** An address clients of this machine can connect to, for one that means all addresses. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/**
 * `public_url` wins where there is one; a hub on all addresses is named by the first of the network. `lan`: addresses of
 * this machine that are not loopback.
 */
export function reachOf(
  { host, port }: { readonly host: string; readonly port: number },
  { trust_loopback, public_url }: { readonly trust_loopback: boolean; readonly public_url?: string | undefined },
  lan = ownAddresses(),
): Reach {
  const everywhere = host === '0.0.0.0' || host === '::';
  const near = reachable(everywhere ? (lan[0] ?? host) : host);
  const beyond = everywhere || !isLoopbackHost(near);
  const url = public_url !== undefined && beyond ? public_url.replace(/\/+$/, '') : `http://${near}:${port}`;
  return { url, token: beyond || !trust_loopback };
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
}
