// Secrets told in a sentence, sent in a header or put into an address: "the password is X", `Bearer X`, `scheme://user:X@host`.
import type { SecretSpan } from './types.ts';
import { isPasswordLike, isPlaceholder, isPublicShape, isRandom } from './value-shapes.ts';

const NOUN = String.raw`(?<noun>passwords?|passwd|passphrase|passcode|pwd|pw|pass|secret(?: (?:access )?key)?|(?:\w+ )?token|api[ -]?key|access key|account key|credentials?|creds|kennwort|passwort)`;
const ABOUT = String.raw`(?:[ \t]+(?:for|of|on|to|from|in|at)[ \t]+[^.\n:=;]{1,60}?)?`;
const VERB = String.raw`(?:[ \t]+(?:is|was|are|now|will be|should be|has been|ist|lautet|changed to|set to|reset to|rotated to)(?:[ \t]+(?:now|still|set to|changed to|reset to|rotated to))?:?|[ \t]*(?:->|→|:|=))`;
/** `the db password for the report job is X`, `token: X`, `password -> X`. */
const TOLD = new RegExp(
  String.raw`(?<![\w-])${NOUN}${ABOUT}${VERB}[ \t]+(?<quote>["'\x60“]?)(?<value>[^\s"'\x60“”]{4,512})`,
  'dgi',
);
/** `password 'X'`, `passphrase "X"`: quotes take the place of the verb. */
const QUOTED =
  /(?<![\w-])(?<noun>password|passwd|passphrase|passcode|pwd)[ \t]+(?:is[ \t]+|of[ \t]+|was[ \t]+)?(?<quote>["'\x60“])(?<value>[^\s"'\x60“”]{4,256})["'\x60”]/dgi;
/** `with password X` without a verb: only for values that no word or version looks like. */
const BARE =
  /\b(?:password|passwd|passphrase|pwd)[ \t]+(?<value>(?=[^\s"']*\d)(?=[^\s"']*[A-Za-z])(?=[^\s"']*[!@#$%^&*?])[^\s"']{6,128})/dgi;
/** `auth token X`, `unseal key 1: X`, `api key "X"` without a verb: only for values that a generator made. */
const NAMED =
  /(?<![\w-])(?<noun>(?:(?:access|auth|api|bearer|refresh|session|root|bot|app|admin|secret|private|master|signing|encryption|unseal|recovery|license|licence)[ -](?:key|token|secret)|token)(?: (?:id )?\d)?)[ \t]*:?[ \t]+["'`(]?(?<value>[A-Za-z0-9_+/=.~-]{20,512})/dgi;
/** `jdbc:oracle:thin:user/X@host`. */
const ORACLE = /\bjdbc:oracle:\w{1,10}:[^\s/@"']{1,64}\/(?<value>[^\s@"']{1,128})@/dgi;
/** `credentials: admin / X`, `login admin:X`, `user/pass admin/X`. */
const LOGIN =
  /\b(?:credentials?|creds|log(?:ged )?in|user(?:name)?[ ]?\/[ ]?pass(?:word)?)(?:[ \t]+(?:is|are|with|as|using|for \S{1,60}(?: is| are)?))?[ \t]*[:=]?[ \t]+["'`]?[\w.@+-]{2,64}["'`]?[ \t]*[:/][ \t]*["'`]?(?<value>[^\s"'`]{5,128})/dgi;
/** `Authorization: Bearer X`, `Basic X`. */
const HEADER = /\b(?<scheme>bearer|basic|token|apikey|ssws|digest)[ \t]+["']?(?<value>[A-Za-z0-9._~+/=:-]{12,4096})/dgi;
const COOKIE = /\b(?:set-)?cookie:[ \t]*(?<pairs>[^\n"']{1,4096})/dgi;
/** A login inside an address. The password may hold `@`: the last one before the path counts. */
const ADDRESS = /\b(?<scheme>[a-z][a-z0-9+.-]{1,30}):\/\/[^\s:/@"'<>]{0,128}:(?<value>[^\s/"'<>]{1,256})@(?=[\w[])/dgi;
/** Signatures of addresses that open what they point at. */
const SIGNED =
  /[?&](?:sig|X-Amz-Signature|X-Goog-Signature|Signature|X-Amz-Security-Token|access_token|auth|apikey|api_key|key|token)=(?<value>[A-Za-z0-9%+/=_-]{16,2048})/dg;
const AWS_PAIR = /(?<![A-Za-z0-9/+])(?<value>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/dg;

const SENTENCE_END = /[.,;:?)\]}>]+$/;

/** Secrets that stand in prose, headers and addresses. */
export function findTold(text: string): SecretSpan[] {
  return [
    ...toldSpans(text),
    ...namedSpans(text),
    ...loginSpans(text),
    ...headerSpans(text),
    ...cookieSpans(text),
    ...addressSpans(text),
    ...awsSpans(text),
  ];
}

function spanOf(match: RegExpExecArray, kind: string, value: string): SecretSpan {
  const [start] = match.indices?.groups?.value ?? [0, 0];
  return { kind, start, end: start + value.length };
}

function matchedValue(match: RegExpExecArray): string {
  return match.groups?.value ?? '';
}

function toldSpans(text: string): SecretSpan[] {
  const spans: SecretSpan[] = [];
  for (const pattern of [TOLD, QUOTED]) {
    for (const match of text.matchAll(pattern)) {
      const value = matchedValue(match).replace(SENTENCE_END, '');
      const noun = (match.groups?.noun ?? '').toLowerCase();
      const isPassword = /^(?:pass|pwd|pw|kenn)/.test(noun);
      const quote = match.groups?.quote ?? '';
      const isQuoted = quote !== '' && quote !== '`';
      // Code that goes on behind its first word is a command.
      const isCommand = quote === '`' && text[match.index + match[0].length] === ' ';
      if (isPlaceholder(value) || isCommand) continue;
      if (isPassword ? isPasswordLike(value) || (isQuoted && value.length >= 4) : isTold(value)) {
        spans.push(spanOf(match, isPassword ? 'password' : kindOf(noun), value));
      }
    }
  }
  return spans;
}

/** Keys and tokens in prose: hexadecimal ones count as well, names and versions do not. */
function isTold(value: string): boolean {
  if (value.length < 8) return false;
  if (/^[0-9a-f]{24,}$/i.test(value)) return true;
  return !isPublicShape(value) && isPasswordLike(value) && !/^[\w-]+(?:[/.][\w-]+)+$/.test(value);
}

function kindOf(noun: string): string {
  if (noun.includes('token')) return 'token';
  if (noun.includes('api')) return 'api_key';
  return noun.includes('key') ? 'access_key' : 'secret';
}

/** Random values, hexadecimal ones and UUIDs behind a word for a key: no name or version looks like them. */
function namedSpans(text: string): SecretSpan[] {
  return [...text.matchAll(NAMED)].flatMap((match) => {
    const value = matchedValue(match).replace(SENTENCE_END, '');
    const isGenerated = isRandom(value, 20) || (/^[0-9a-f-]{24,}$/i.test(value) && /\d/.test(value));
    return isGenerated ? [spanOf(match, kindOf((match.groups?.noun ?? '').toLowerCase()), value)] : [];
  });
}

function loginSpans(text: string): SecretSpan[] {
  return [...text.matchAll(LOGIN), ...text.matchAll(BARE)].flatMap((match) => {
    const value = matchedValue(match).replace(SENTENCE_END, '');
    return isPasswordLike(value) && !value.startsWith('/') ? [spanOf(match, 'password', value)] : [];
  });
}

function headerSpans(text: string): SecretSpan[] {
  return [...text.matchAll(HEADER)].flatMap((match) => {
    const value = matchedValue(match).replace(SENTENCE_END, '');
    const scheme = (match.groups?.scheme ?? '').toLowerCase();
    const before = text.slice(Math.max(0, match.index - 24), match.index);
    const isHeader = /authorization["']?\s*[:=]\s*["']?$/i.test(before);
    const isLong = value.length >= 16 && /\d/.test(value) && /[A-Za-z]/.test(value) && !isWordList(value);
    const isBasic = scheme === 'basic' && holdsLogin(value);
    const isBearer = scheme === 'bearer' && isLong && !isPublicName(value);
    return isBasic || isBearer || (isHeader && isLong)
      ? [spanOf(match, scheme === 'basic' ? 'basic_auth' : 'bearer_token', value)]
      : [];
  });
}

/** `Basic` carries `user:password` in base64. */
function holdsLogin(value: string): boolean {
  return (
    /^[A-Za-z0-9+/]{8,}={0,2}$/.test(value) &&
    /^[\x20-\x7e]+:[\x20-\x7e]+$/.test(Buffer.from(value, 'base64').toString('latin1'))
  );
}

function isWordList(value: string): boolean {
  return /^[a-z]+(?:[-_./][a-z]+)+\d?$/i.test(value);
}

/** A scheme in front of a host or a name says nothing about a secret. */
function isPublicName(value: string): boolean {
  return (
    /^[a-z0-9]+(?:[.-][a-z0-9]+)+$/.test(value) &&
    !/^[0-9a-f-]{24,}$/.test(value) &&
    value.split(/[.-]/).every((part) => part.length < 16)
  );
}

function cookieSpans(text: string): SecretSpan[] {
  return [...text.matchAll(COOKIE)].flatMap((match) => {
    const [from] = match.indices?.groups?.pairs ?? [0, 0];
    const pairs = (match.groups?.pairs ?? '').matchAll(/[\w.-]{1,64}=(?<value>[^\s;,]{16,4096})/dg);
    return [...pairs]
      .filter((pair) => /\d/.test(matchedValue(pair)) || isRandom(matchedValue(pair), 16))
      .map((pair) => {
        const span = spanOf(pair, 'cookie', matchedValue(pair));
        return { ...span, start: span.start + from, end: span.end + from };
      });
  });
}

function addressSpans(text: string): SecretSpan[] {
  const logins = [...text.matchAll(ADDRESS), ...text.matchAll(ORACLE)].flatMap((match) => {
    const value = matchedValue(match);
    return isPlaceholder(value) ? [] : [spanOf(match, 'connection_string_password', value)];
  });
  const signed = [...text.matchAll(SIGNED)].flatMap((match) => {
    const value = matchedValue(match);
    const isDense = /\d/.test(value) && /[A-Za-z]/.test(value);
    return isDense && !isPlaceholder(value) && !isWordList(value) ? [spanOf(match, 'url_signature', value)] : [];
  });
  return [...logins, ...signed];
}

/** A secret access key has no mark of its own; forty random characters in the company of AWS's words are one. */
function awsSpans(text: string): SecretSpan[] {
  if (!/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|aws|amazon|secret[ _-]?access/i.test(text)) return [];
  return [...text.matchAll(AWS_PAIR)].flatMap((match) => {
    const value = matchedValue(match);
    return isRandom(value, 40) ? [spanOf(match, 'aws_secret_access_key', value)] : [];
  });
}
