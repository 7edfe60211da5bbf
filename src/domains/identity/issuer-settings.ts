// Which other issuers a hub accepts, and what has to hold of them before any of their tokens comes.
import { failure } from '../../kernel/errors.ts';

export interface IssuerSettings {
  readonly issuer: string;
  readonly jwks_url: string;
  readonly audience: string;
  readonly user_claim: string;
  readonly user_prefix: string;
  readonly admin_users: readonly string[];
}

/** Throws `config_invalid`. */
export function assertIssuers(settings: readonly IssuerSettings[]): void {
  const names = new Set<string>();
  for (const { issuer, jwks_url } of settings) {
    if (names.has(issuer))
      throw failure('config_invalid', `security.issuers names ${issuer} twice.`, 'Leave one of them.');
    names.add(issuer);
    assertSafe(jwks_url);
  }
}

/** Whoever can change what is fetched can be anybody: only over TLS, or within this machine. */
function assertSafe(text: string): void {
  const url = new URL(text);
  const loopback = ['localhost', '[::1]'].includes(url.hostname) || /^127\.\d+\.\d+\.\d+$/.test(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && loopback)) return;
  throw failure(
    'config_invalid',
    `security.issuers: jwks_url has to be https, or http to this machine; ${url.protocol}//${url.host} is neither.`,
    'Use the https address of the issuer.',
  );
}
