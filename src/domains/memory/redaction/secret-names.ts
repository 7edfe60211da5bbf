// Which names announce a secret behind them: `DB_PASSWORD`, `x-api-key`, `clientSecret`, but not `secretName` or `max_tokens`.

/** How sure a name is: `password` and `key` names announce a secret, `weak` ones only together with a random value. */
export type NameStrength = 'password' | 'key' | 'weak';

export interface SecretName {
  readonly kind: string;
  readonly strength: NameStrength;
}

const PASSWORD_WORDS = new Set([
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'pwd',
  'pass',
  'pw',
  'pgpassword',
  'userpassword',
  'rootpassword',
  'adminpassword',
  'dbpassword',
  'dbpass',
  'kennwort',
  'passwort',
]);
const KEY_WORDS: Readonly<Record<string, string>> = {
  secret: 'secret',
  token: 'token',
  apikey: 'api_key',
  secretkey: 'secret',
  accesskey: 'access_key',
  accountkey: 'access_key',
  sharedaccesskey: 'access_key',
  authtoken: 'token',
  accesstoken: 'token',
  clientsecret: 'secret',
  psk: 'secret',
  pat: 'token',
  sastoken: 'token',
};
/** A `key` is secret when one of these stands before it. */
const KEY_QUALIFIERS = new Set([
  'api',
  'access',
  'secret',
  'private',
  'signing',
  'encryption',
  'account',
  'auth',
  'shared',
  'master',
  'storage',
  'subscription',
  'license',
  'app',
  'application',
  'service',
  'integration',
  'ingest',
  'write',
  'admin',
  'hmac',
  'aes',
  'deploy',
  'webhook',
  'decryption',
  'unseal',
  'recovery',
]);
/** Words behind the one that matters which do not change its meaning. */
const NEUTRAL_SUFFIXES = new Set([
  'value',
  'base',
  'prod',
  'production',
  'dev',
  'development',
  'staging',
  'stage',
  'test',
  'qa',
  'live',
  'old',
  'new',
  'current',
  'base64',
  'b64',
  'hex',
  'plain',
  'default',
  'primary',
  'secondary',
  '1',
  '2',
  '3',
]);
/** Tokens that are no secrets: positions in lists, units of text. */
const PUBLIC_TOKENS = new Set([
  'page',
  'next',
  'continuation',
  'sync',
  'resume',
  'cursor',
  'cancellation',
  'pagination',
  'max',
  'min',
  'special',
  'stop',
  'eos',
  'bos',
  'pad',
  'design',
  'input',
  'output',
  'public',
]);
/** In front of a name these make it a switch: `--no-password`, `ask-become-pass`. */
const SWITCHES = new Set([
  'no',
  'ask',
  'prompt',
  'use',
  'with',
  'without',
  'show',
  'has',
  'is',
  'needs',
  'requires',
  'reset',
  'change',
  'forgot',
  'skip',
]);
const WEAK_WORDS = new Set([
  'key',
  'auth',
  'authorization',
  'credential',
  'credentials',
  'cred',
  'creds',
  'jwt',
  'sig',
  'cookie',
  'seed',
  'license',
  'salt',
  'dsn',
]);

/** The words of a name in any spelling: `dbPassword`, `DB_PASSWORD`, `db-password`, `db.password`. */
export function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

/** What a name announces, or undefined. */
export function readSecretName(name: string): SecretName | undefined {
  const words = wordsOf(name);
  while (words.length > 1 && NEUTRAL_SUFFIXES.has(words.at(-1) ?? '')) words.pop();
  if (words.length > 1 && SWITCHES.has(words[0] ?? '')) return undefined;
  const last = words.at(-1) ?? '';
  const before = words.at(-2) ?? '';
  if (PASSWORD_WORDS.has(last)) return { kind: 'password', strength: 'password' };
  if (last === 'token' && PUBLIC_TOKENS.has(before)) return undefined;
  const single = KEY_WORDS[last];
  if (single !== undefined) return { kind: keyKind(words, single), strength: 'key' };
  if (last === 'key' && KEY_QUALIFIERS.has(before)) return { kind: keyKind(words, `${before}_key`), strength: 'key' };
  if (last === 'key' && before === 'public') return undefined;
  return WEAK_WORDS.has(last) ? { kind: 'secret', strength: 'weak' } : undefined;
}

function keyKind(words: readonly string[], plain: string): string {
  const isAws = words.includes('aws') || words.includes('amazon');
  const isSecretKey = words.includes('secret') && words.includes('access');
  return isSecretKey || (isAws && words.includes('secret')) ? 'aws_secret_access_key' : plain;
}

/** Names of dense values that are known to be public. */
const PUBLIC_WORDS = new Set([
  'id',
  'ids',
  'uuid',
  'guid',
  'sha',
  'sha1',
  'sha256',
  'sha512',
  'md5',
  'hash',
  'digest',
  'checksum',
  'integrity',
  'etag',
  'commit',
  'rev',
  'revision',
  'ref',
  'fingerprint',
  'thumbprint',
  'cert',
  'certificate',
  'ca',
  'crt',
  'public',
  'pub',
  'data',
  'image',
  'img',
  'src',
  'href',
  'url',
  'uri',
  'path',
  'file',
  'filename',
  'dir',
  'name',
  'host',
  'hostname',
  'arn',
  'version',
  'body',
  'content',
  'text',
  'message',
  'title',
  'user',
  'username',
  'agent',
  'class',
  'type',
  'package',
  'module',
  'resolved',
  'trace',
  'span',
  'request',
  'node',
  'pod',
  'job',
  'nonce',
  'cache',
  'query',
  'command',
  'selector',
  'model',
  'signature',
  'tag',
  'layer',
  'branch',
  'build',
  'cursor',
  'next',
  'token',
  'h1',
  'kid',
  'jti',
  'x5t',
  'zh',
]);

/** True for a name whose value may be dense without being secret. */
export function isPublicName(name: string): boolean {
  return wordsOf(name).some((word) => PUBLIC_WORDS.has(word));
}
