// HAIVEMIND_URL: a hub elsewhere does the work of commands, known by HAIVEMIND_TOKEN.
import { failure } from '../../kernel/errors.ts';
import type { CliIo } from './contract.ts';

/**
 * Base URL without a slash at the end; undefined where none is named. Throws `config_invalid` for what is no address of
 * a hub, without repeating it: somebody may have put a password there.
 */
export function remoteHubUrl(env: CliIo['env']): string | undefined {
  const text = env.HAIVEMIND_URL;
  if (!text) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const bare = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
  if (!url || !bare)
    throw failure(
      'config_invalid',
      'HAIVEMIND_URL is not the address of a hub.',
      'Use https://host or http://host:8900, without a user or a query; the token goes into HAIVEMIND_TOKEN.',
    );
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/mcp$/, '')}`;
}

/**
 * For what works on the store of this machine, whatever hub there is. Throws `config_invalid` where HAIVEMIND_URL names
 * a hub elsewhere: its store is meant then, and another one would be opened, or even made.
 */
export function refuseRemoteHub(
  env: CliIo['env'],
  hint = "Unset HAIVEMIND_URL to work on this machine's store, or run the command on the machine of the hub.",
): void {
  if (remoteHubUrl(env) === undefined) return;
  throw failure(
    'config_invalid',
    'HAIVEMIND_URL names a hub elsewhere, and this command works on the store of this machine.',
    hint,
  );
}

/** Warns where a token would cross a network that anybody may read. Tailnets encrypt by themselves. */
export function warnOfPlainHttp(url: string, { env, stderr }: Pick<CliIo, 'env' | 'stderr'>): void {
  if (!env.HAIVEMIND_TOKEN || env.HAIVEMIND_ALLOW_HTTP === '1' || !isReadable(new URL(url))) return;
  stderr.write(
    'haivemind: the token goes over plain http, where others on the network can read it; use https, or set HAIVEMIND_ALLOW_HTTP=1 where the network itself encrypts.\n',
  );
}

function isReadable({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !isLoopbackHost(hostname) && !isTailnetHost(hostname);
}

export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

/** MagicDNS names, 100.64.0.0/10 and fd7a:115c:a1e0::/48. */
function isTailnetHost(hostname: string): boolean {
  if (hostname.endsWith('.ts.net') || hostname.startsWith('[fd7a:115c:a1e0:')) return true;
  const second = /^100\.(\d+)\.\d+\.\d+$/.exec(hostname)?.[1];
  return second !== undefined && Number(second) >= 64 && Number(second) < 128;
}
