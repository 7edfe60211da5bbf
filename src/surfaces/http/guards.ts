// Who may talk to the server at all: checks on addresses and headers, before anything is read or run.
import type { IncomingHttpHeaders } from 'node:http';
import type { ErrorBody } from '../../kernel/errors.ts';
import { limits } from '../../kernel/limits.ts';

export interface GuardSettings {
  /** Address the server was told to listen on. */
  readonly host: string;
  /** Port it listens on. */
  readonly port: number;
  /** Treat loopback connections as the owner of the machine. */
  readonly trust_loopback: boolean;
  /** Taken from this very machine in place of a token: the owner's, from hub.json. */
  readonly owner_key: string;
  /** Further names people reach the server by: `name` (this port, or none behind a proxy) or `name:port`. */
  readonly allowed_hosts: readonly string[];
}

export interface Incoming {
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, as they were sent: where a header came twice, `headers` has one of them. */
  readonly raw_headers: readonly string[];
  /** Path and query. */
  readonly url: string;
  readonly remote_address: string | undefined;
  readonly remote_port: number | undefined;
  /** Address of this machine the caller connected to. */
  readonly local_address: string | undefined;
}

export interface Refusal {
  readonly status: 401 | 403;
  readonly body: ErrorBody;
  /** For the audit log: which check it was. */
  readonly reason: 'host' | 'origin' | 'unknown_caller' | 'malformed_authorization' | 'token_refused';
  /** `error` of the challenge (RFC 6750), where a credential was sent. */
  readonly challenge?: 'invalid_request' | 'invalid_token';
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** Refuses a Host that is not ours: a page of another site resolving to this machine (DNS rebinding) sends its own. */
export function checkHost(incoming: Incoming, settings: GuardSettings): Refusal | undefined {
  const host = incoming.headers.host;
  if (host !== undefined && isOurs(host.toLowerCase(), settings, incoming.local_address)) return undefined;
  return {
    status: 403,
    reason: 'host',
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
  if (match?.[1] !== undefined && isOurs(match[1], settings, incoming.local_address)) return undefined;
  return {
    status: 403,
    reason: 'origin',
    body: {
      code: 'forbidden',
      message: 'Pages of this origin may not use the server.',
      hint: 'Open the page from the server itself, or add its host and port to remote_server.allowed_hosts.',
    },
  };
}

/** An address that was connected to is ours by that alone: no name had to be resolved, so none was bent. */
function isOurs(authority: string, settings: GuardSettings, local_address: string | undefined): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[^:[\]@]+)(?::(\d{1,5}))?$/.exec(authority);
  const name = match?.[1];
  if (name === undefined) return false;
  const port = match?.[2] === undefined ? 80 : Number(match[2]);
  if (settings.allowed_hosts.some((allowed) => isAllowed(allowed.toLowerCase(), name, match?.[2], settings.port)))
    return true;
  const address = local_address && bracketed(withoutMapping(local_address));
  return (
    port === settings.port && (LOOPBACK_NAMES.includes(name) || name === bracketed(settings.host) || name === address)
  );
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
 * Loopback counts as the machine's owner only where no header says that somebody else's request was forwarded: behind a
 * local reverse proxy everybody comes from loopback.
 */
export function isTrusted(incoming: Incoming, settings: GuardSettings): boolean {
  return settings.trust_loopback && isLoopback(incoming.remote_address) && forwardedBy(incoming) === undefined;
}

/** The header that says that the request is somebody else's, handed on. */
export function forwardedBy({ headers }: Incoming): string | undefined {
  return Object.keys(headers).find(isForwardingHeader);
}

/** The refusal of a caller nothing is known of. */
export function unknownCaller(incoming: Incoming): Refusal {
  const forwarded = forwardedBy(incoming);
  const why = !isLoopback(incoming.remote_address)
    ? 'It came from another machine.'
    : forwarded !== undefined
      ? `It was forwarded by a proxy (header ${forwarded}).`
      : 'security.trust_loopback is off.';
  return {
    status: 401,
    reason: 'unknown_caller',
    body: {
      code: 'unauthenticated',
      message: `This request does not say who sends it. ${why}`,
      hint: 'Send the header `Authorization: Bearer <token>`; administrators of the hub make tokens with `haivemind token create`.',
    },
  };
}

/** The token a request carries: undefined where it carries no credential, a refusal where that is no token. */
export function tokenIn(incoming: Incoming): string | Refusal | undefined {
  const query = incoming.url.split('?').slice(1).join('?');
  if (new URLSearchParams(query).has('access_token'))
    return malformed('It stands in the address, which logs and histories keep.');
  const sent = incoming.raw_headers.filter((text, index) => index % 2 === 0 && text.toLowerCase() === 'authorization');
  if (sent.length === 0) return undefined;
  if (sent.length > 1) return malformed('There are several of them.');
  const token = BEARER.exec(incoming.headers.authorization ?? '')?.[1];
  if (token === undefined) return malformed('It is not the word Bearer, a space and one token.');
  if (token.length <= limits.token_length_max_chars) return token;
  return malformed(`It is longer than ${limits.token_length_max_chars} characters.`);
}

/** `b64token` of RFC 6750. */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i;

function malformed(why: string): Refusal {
  return {
    status: 401,
    reason: 'malformed_authorization',
    challenge: 'invalid_request',
    body: {
      code: 'unauthenticated',
      message: `The credential of this request cannot be read. ${why}`,
      hint: 'Send one header `Authorization: Bearer <token>` and nothing of it elsewhere.',
    },
  };
}

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(address);
}

/** An IPv4 address as IPv4, also where the socket speaks IPv6. */
export function withoutMapping(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase();
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
