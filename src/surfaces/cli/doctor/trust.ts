// Doctor's look at whom the configuration takes at their word: other issuers of tokens, and local users of the machine.
import type { HealthCheck } from '../../runtime.ts';
import { isLoopbackHost } from '../remote-hub.ts';

interface Trusted {
  /** Address the server listens on. */
  readonly host: string;
  readonly trust_loopback: boolean;
  readonly issuers: readonly { readonly issuer: string; readonly user_prefix: string }[];
}

/** None where nothing is trusted that a reader of the configuration might not expect. */
export function checkTrust({ host, trust_loopback, issuers }: Trusted): HealthCheck[] {
  const unprefixed = issuers.filter(({ user_prefix }) => user_prefix === '').map(nameIssuer);
  if (!trust_loopback || isLoopbackHost(host.includes(':') ? `[${host}]` : host)) return unprefixed;
  const detail = `the hub listens on ${host}, and every local user of this machine counts as its owner (security.trust_loopback)`;
  return [...unprefixed, { name: 'loopback', status: 'ok', detail }];
}

function nameIssuer({ issuer }: Trusted['issuers'][number]): HealthCheck {
  return {
    name: 'issuer',
    status: 'degraded',
    detail: `users of ${withoutPassword(issuer)} may have the names of users of this hub, and then are taken for them`,
    fix: 'Give this entry of security.issuers a user_prefix of its own; what its users stored so far stays with their names of now.',
  };
}

/** An address may carry credentials, which are nobody's to read here. */
function withoutPassword(text: string): string {
  const url = new URL(text);
  url.username = '';
  url.password = '';
  return url.href;
}
