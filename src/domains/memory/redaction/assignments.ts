// Secrets behind a name: `DB_PASSWORD=...`, `"apiKey": "..."`, `--token ...`, and random values behind any other name.
import { isPublicName, readSecretName } from './secret-names.ts';
import type { SecretSpan } from './types.ts';
import { entropyOf, isEncodedFile, isPasswordLike, isPlaceholder, isPublicShape, isRandom } from './value-shapes.ts';

/** A name, a separator, a value in quotes or up to white space. Names are bounded, so matching stays linear. */
const ASSIGNMENT =
  /(?<![\w./-])(?<quoteN>\\?["'`])?(?<name>[A-Za-z_][\w.-]{1,63}(?: (?:key|token|secret|password))?)(?:\\?["'`])?\]?(?<sep>[ \t]{0,4}(?:=>|:=|={1,2}|:)[ \t]{0,4}|[ \t]{1,4}=[ \t]{0,4})(?:(?<quote>\\?["'`])(?<quoted>[^\n]{1,4096}?)\k<quote>|(?<bare>[^\s"'`<>]{1,4096}))/dg;

/** A flag and its value: `--password X`, `--token=X`, `-p X` behind commands that take a password so. */
const FLAG =
  /(?<![\w-])--(?<name>[a-z][a-z0-9-]{1,40})(?<sep>[ =])(?:(?<quote>["'])(?<quoted>[^\n]{1,1024}?)\k<quote>|(?<bare>[^\s"'`-][^\s"'`]{0,1023}))/dg;
const COMMAND_FLAG =
  /\b(?:sshpass\s+-p|docker\s+login\b[^\n]{0,80}?\s-p|redis-cli\b[^\n]{0,80}?\s-a|mysql(?:dump|admin)?\b[^\n]{0,80}?\s-p|htpasswd\b[^\n]{0,60}?-b\S*\s+\S+\s+\S+|7z\b[^\n]{0,40}?\s-p|smbclient\b[^\n]{0,80}?-U\s*[^\s%]+%)\s?(?<quote>["']?)(?<value>[^\s"'`]{4,256})\k<quote>/dg;
/** `ENV API_TOKEN X`: a name in capitals and its value behind a space. */
const SPACED = /(?<![\w./-])(?<name>[A-Z][A-Z0-9]{1,30}_[A-Z0-9_]{2,40})(?<sep> )(?<bare>[^\s"'`<>=:]{16,1024})/dg;
/** `<password>X</password>`. */
const ELEMENT = /<(?<name>[A-Za-z][\w.-]{1,63})>(?<bare>[^<>\s]{1,1024})<\//dg;
/** `name: DB_PASSWORD` and `value: X` beside it, as environments of containers and settings are written. */
const NAMED_VALUE =
  /\b(?:name|key)["']?[ \t]*[:=][ \t]*["']?(?<name>[A-Za-z_][\w.-]{1,63})["']?[ \t]*,?\s{1,40}["']?value["']?[ \t]*[:=][ \t]*(?:(?<quote>["'])(?<quoted>[^\n]{1,1024}?)\k<quote>|(?<bare>[^\s"'<>]{1,1024}))/dg;
/** `curl -u user:password`. */
const USER_FLAG = /\s(?:-u|--user|--proxy-user)[ =](?<quote>["']?)[^\s:"']{1,128}:(?<value>[^\s"'`]{3,256})\k<quote>/dg;
/** `machine host login user password X` of a .netrc. */
const NETRC = /\blogin\s+\S{1,128}\s+password\s+(?<value>\S{3,256})/dg;

const BARE_END = /[,;)}\]&|]|\\n|\\r/;
const HIGH_ENTROPY_LENGTH_MIN_CHARS = 32;
/** Longer values are data: certificates, images, compressed blobs. */
const HIGH_ENTROPY_LENGTH_MAX_CHARS = 128;
const HIGH_ENTROPY_MIN_BITS_PER_CHAR = 4.2;
const WEAK_LENGTH_MIN_CHARS = 20;

/** Secrets that are assigned to a name. */
export function findAssigned(text: string): SecretSpan[] {
  return [
    ...assignedSpans(text, ASSIGNMENT),
    ...assignedSpans(text, FLAG),
    ...assignedSpans(text, SPACED),
    ...assignedSpans(text, ELEMENT),
    ...assignedSpans(text, NAMED_VALUE),
    ...valueSpans(text, COMMAND_FLAG, 'password'),
    ...valueSpans(text, USER_FLAG, 'password'),
    ...valueSpans(text, NETRC, 'password'),
  ];
}

function assignedSpans(text: string, pattern: RegExp): SecretSpan[] {
  const spans: SecretSpan[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const name = match.groups?.name ?? '';
    const isBare = match.groups?.quoted === undefined;
    const [start] = match.indices?.groups?.[isBare ? 'bare' : 'quoted'] ?? [0, 0];
    const raw = match.groups?.quoted ?? match.groups?.bare ?? '';
    const value = isBare ? bareValue(raw, name) : raw;
    const sep = match.groups?.sep ?? '=';
    const quote = match.groups?.quote ?? '';
    const kind = judge(name, value, { quote, sep, rest: restOfLine(text, start + value.length) });
    if (kind !== undefined) spans.push({ kind, start, end: start + value.length });
    // A value that is no secret may itself hold an assignment, as in `env: "TOKEN=..."` or `cmd: A=1`.
    else pattern.lastIndex = Math.max(match.index + name.length + 1, start);
  }
  return spans;
}

/** Where an unquoted value ends: a password may hold punctuation inside, but a list or a query goes on behind it. */
function bareValue(raw: string, name: string): string {
  const isPassword = readSecretName(name)?.strength === 'password';
  const end = isPassword ? raw.search(/[,;&](?=\S*[=:])|\\n|\\r/) : raw.search(BARE_END);
  const cut = end > 0 ? raw.slice(0, end) : raw;
  return cut.replace(/[.,;:]+$/, '').replace(/[)\]}]+$/, (tail) => (/[([{]/.test(cut) ? tail : ''));
}

function restOfLine(text: string, from: number): string {
  const end = text.indexOf('\n', from);
  return text.slice(from, end === -1 ? from + 80 : Math.min(end, from + 80));
}

interface Place {
  /** Empty where the value stands bare. */
  readonly quote: string;
  readonly sep: string;
  readonly rest: string;
}

function judge(name: string, value: string, place: Place): string | undefined {
  const known = readSecretName(name);
  if (known === undefined) {
    return isUnnamedSecret(name, value) ? 'high_entropy_value' : undefined;
  }
  if (value === '' || isPlaceholder(value)) return undefined;
  if (known.strength === 'weak') return isRandom(value, WEAK_LENGTH_MIN_CHARS) ? known.kind : undefined;
  if (known.strength === 'password') return isAssignedPassword(value, place) ? known.kind : undefined;
  return isAssignedKey(value) ? known.kind : undefined;
}

/** A value as generators make them behind a name that says nothing; files in base64 are known by their beginnings. */
function isUnnamedSecret(name: string, value: string): boolean {
  if (value.length > HIGH_ENTROPY_LENGTH_MAX_CHARS || !isRandom(value, HIGH_ENTROPY_LENGTH_MIN_CHARS)) return false;
  if (!/^[A-Za-z0-9+/=_~.-]+$/.test(value) || isPublicName(name) || isPlaceholder(value) || isEncodedFile(value))
    return false;
  return entropyOf(value) >= HIGH_ENTROPY_MIN_BITS_PER_CHAR;
}

/** In prose a word behind `password:` describes; in a configuration it is the password. */
function isAssignedPassword(value: string, { quote, sep, rest }: Place): boolean {
  // Backticks set code apart: what they hold behind `password:` is mostly a command.
  const isCode = quote.includes('`');
  const isQuoted = quote !== '' && !isCode;
  if (/\s/.test(value)) return isQuoted && value.length <= 80 && isPasswordLike(value.replaceAll(/\s/g, ''));
  if (isPasswordLike(value)) return true;
  if (isCode || sep === ' ') return false;
  if (value.length < 4 || /^\d{1,3}$/.test(value)) return false;
  if (!/\p{L}/u.test(value)) return false;
  const standsAlone = /^["'`]?[\s,;})\]]*(?:#.*)?$/.test(rest);
  return sep.includes('=') || isQuoted || (standsAlone && value.length >= 6);
}

/** Keys and tokens are given, not chosen: long, without white space, and no plain word or name. */
function isAssignedKey(value: string): boolean {
  if (value.length < 8 || /\s/.test(value) || value.length > 4096) return false;
  if (/^[0-9a-f-]{16,}$/i.test(value) && /\d/.test(value)) return true;
  if (/^[\d.,:]+$/.test(value)) return false;
  if (isPublicShape(value)) return value.length >= 16 && digitShare(value) >= 0.25;
  return isPasswordLike(value);
}

/** Names have few digits, generated values many. */
function digitShare(value: string): number {
  return value.replaceAll(/\D/g, '').length / value.length;
}

function valueSpans(text: string, pattern: RegExp, kind: string): SecretSpan[] {
  const spans: SecretSpan[] = [];
  for (const match of text.matchAll(pattern)) {
    const value = match.groups?.value ?? '';
    const [start, end] = match.indices?.groups?.value ?? [0, 0];
    if (!isPlaceholder(value) && !value.startsWith('-')) spans.push({ kind, start, end });
  }
  return spans;
}
