// Who may talk to the server at all: checks on addresses and headers, before anything is read or run.
import type { IncomingHttpHeaders } from 'node:http';
import type { ErrorBody } from '../../kernel/errors.ts';

export interface GuardSettings {
  /** Address the server was told to listen on. */
  readonly host: string;
  /** Port it listens on. */
  readonly port: number;
  /** Treat loopback connections as the owner of the machine. */
  readonly trust_loopback: boolean;
  /** Further names people reach the server by: `name` (this port, or none behind a proxy) or `name:port`. */
  readonly allowed_hosts: readonly string[];
}

export interface Incoming {
  readonly headers: IncomingHttpHeaders;
  readonly remote_address: string | undefined;
}

export interface Refusal {
  readonly status: 400 | 401 | 403;
  readonly body: ErrorBody;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** Refuses a Host that is not ours: a page of another site resolving to this machine (DNS rebinding) sends its own. */
export function checkHost(incoming: Incoming, settings: GuardSettings): Refusal | undefined {
  const host = incoming.headers.host;
  if (host !== undefined && isOurs(host.toLowerCase(), settings)) return undefined;
  return {
    status: 403,
    body: {
      code: 'forbidden',
      message: 'The Host header names no host this server answers for.',
      hint: `Use http://localhost:${settings.port}, or add the name to remote_server.allowed_hosts in the configuration.`,
    },
  };
}

/** Refuses requests that pages of other origins send; programs that are no browser send no Origin. */
export function checkOrigin(incoming: Incoming, settings: GuardSettings): Refusal | undefined {
  const origin = incoming.headers.origin;
  if (origin === undefined) return undefined;
  const match = /^https?:\/\/([^/?#]+)$/.exec(origin.toLowerCase());
  if (match?.[1] !== undefined && isOurs(match[1], settings)) return undefined;
  return {
    status: 403,
    body: {
      code: 'forbidden',
      message: 'Pages of this origin may not use the server.',
      hint: 'Open the page from the server itself, or add its host and port to remote_server.allowed_hosts.',
    },
  };
}

function isOurs(authority: string, settings: GuardSettings): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]@]+)(?::(\d{1,5}))?$/.exec(authority);
  const name = match?.[1];
  if (name === undefined) return false;
  const port = match?.[2] === undefined ? 80 : Number(match[2]);
  if (settings.allowed_hosts.some((allowed) => isAllowed(allowed.toLowerCase(), name, match?.[2], settings.port)))
    return true;
  return port === settings.port && (LOOPBACK_NAMES.includes(name) || name === bracketed(settings.host));
}

/** An entry without a port means this server's port, or none at all as behind a proxy on 443. */
function isAllowed(allowed: string, name: string, port: string | undefined, own_port: number): boolean {
  if (allowed === `${name}:${port}`) return true;
  return allowed === name && (port === undefined || Number(port) === own_port);
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host.toLowerCase();
}

/**
 * Refuses callers that have to prove who they are. Loopback counts as the machine's owner only where no header says
 * that somebody else's request was forwarded: behind a local reverse proxy everybody comes from loopback.
 */
export function checkTrust(incoming: Incoming, settings: GuardSettings): Refusal | undefined {
  const loopback = isLoopback(incoming.remote_address);
  const forwarded = Object.keys(incoming.headers).find(isForwardingHeader);
  if (settings.trust_loopback && loopback && forwarded === undefined) return undefined;
  const why = !loopback
    ? 'It came from another machine.'
    : forwarded !== undefined
      ? `It was forwarded by a proxy (header ${forwarded}).`
      : 'security.trust_loopback is off.';
  return {
    status: 401,
    body: {
      code: 'unauthenticated',
      message: `This request does not say who sends it. ${why}`,
      hint: 'This version serves the owner of its machine over loopback only: connect to http://localhost directly (an SSH tunnel works), or use `haivemind mcp` over stdio.',
    },
  };
}

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}

const FORWARDING = new Set([
  'forwarded',
  'via',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'client-ip',
  'fastly-client-ip',
  'fly-client-ip',
]);
const FORWARDING_PREFIXES = [
  'x-forwarded',
  'x-original-',
  'x-envoy-',
  'cf-',
  'tailscale-',
  'x-arr-',
  'x-amzn-',
  'x-azure-',
  'x-goog-',
];

function isForwardingHeader(name: string): boolean {
  return FORWARDING.has(name) || FORWARDING_PREFIXES.some((prefix) => name.startsWith(prefix));
}
