// Tells values that can be secrets from those that only look dense: references, placeholders, hashes, ids, paths, hosts.

/** Values that stand for a secret without being one. */
const PLACEHOLDER =
  /^(?:[*•.x_-]+|<.*|\(.*|\[.*|\{.*|\$.*|%.*|@.*|&.*|!.*|null|nil|none|undefined|true|false|yes|no|on|off|string|str|text|bytes|number|int|bool(?:ean)?|any|object|required|optional|missing|empty|unset|unknown|invalid|incorrect|expired|revoked|hidden|masked|redacted|removed|omitted|secret|password|passwd|passphrase|pass|pwd|token|apikey|api[_-]?key|key|value|change[_-]?(?:me|it|this)|replace[_-]?(?:me|this)|placeholder|example|sample|dummy|todo|tbd|fixme|n\/a|bearer|basic|your[_-]?.*|my[_-]?(?:password|secret|token|key|api[_-]?key)|enter[_-]?.*|insert[_-]?.*|(?:vault|op|ref\+\w+|secretsmanager|ssm|env|file|keyring|aws-ssm):.*|arn:.*)$/i;

/** Code that reads a secret from somewhere: `process.env.X`, `os.environ[...]`, `config.password`, `getSecret(...)`. */
const CODE_REFERENCE =
  /^(?:[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+(?:[([].*)?|[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*\(.*|(?:var|data|local|module|secrets|env)\.[\w.[\]"']+)$/;

/** `access_token`, `your_db_password`, `name=value`: words joined by underscores are names, not values. */
const NAME_OR_PAIR = /^[A-Za-z]+(?:_[A-Za-z]+)+$|^[A-Za-z_]+=[A-Za-z_]*$/;
const RELATIVE_PATH = /^(?:[A-Za-z][A-Za-z_.-]*\d{0,3}\/)+(?:[A-Za-z][A-Za-z_-]*\d{0,3}[A-Za-z_-]*)?(?:\.\w{1,10})?$/;
const PATH = /^(?:~|\.{1,2})?\/(?:[\w.@+-]+\/)*[\w.@+-]*$|^[A-Za-z]:\\/;
const URL_WITHOUT_LOGIN = /^[a-z][a-z0-9+.-]*:\/\/[^\s@]*$/i;

/** A form of a secret that names its kind: `password:new_password`, `user@realm!token=secret`. */
const NAMED_INSIDE = /^(?:[\w.-]+@[\w.-]+!)?(?:\w*password|\w*token(?:id)?)[:=](?<inner>[^:=]+)$/i;

/** True where the value refers to a secret, describes one or masks one. */
export function isPlaceholder(value: string): boolean {
  const inner = NAMED_INSIDE.exec(value)?.groups?.inner;
  return stands(value) || (inner !== undefined && (inner.toLowerCase() === 'uuid' || stands(inner)));
}

function stands(value: string): boolean {
  return [PLACEHOLDER, CODE_REFERENCE, NAME_OR_PAIR, PATH, RELATIVE_PATH, URL_WITHOUT_LOGIN].some((shape) =>
    shape.test(value),
  );
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX = /^(?:0x)?[0-9a-f]+$/i;
const NUMBER_OR_TIME = /^[\d.,:/TZ+_-]+$/;
const DIGEST = /^(?:sha(?:1|224|256|384|512)|md5|blake[23]\w?)[:-]/i;
const HOST_OR_DOTTED = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?$/i;
const LOWER_NAME = /^[a-z0-9]+(?:[-_.][a-z0-9]+)+$/;

/** Ids, digests, numbers, hosts and names in lower case: dense, but known to be public. */
export function isPublicShape(value: string): boolean {
  return (
    UUID.test(value) ||
    HEX.test(value) ||
    NUMBER_OR_TIME.test(value) ||
    DIGEST.test(value) ||
    HOST_OR_DOTTED.test(value) ||
    LOWER_NAME.test(value)
  );
}

/** Shannon entropy in bits a character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const ENTROPY_MIN_BITS_PER_CHAR = 3.5;

/** Long enough, of mixed characters and without the regularity of words: made by a generator. */
export function isRandom(value: string, lengthMin: number): boolean {
  if (value.length < lengthMin || isPublicShape(value) || isWordPath(value)) return false;
  const isMixed = /[a-z]/.test(value) && /[A-Z]/.test(value) && /\d/.test(value);
  return isMixed && entropyOf(value) >= ENTROPY_MIN_BITS_PER_CHAR && /^[\x21-\x7e]+$/.test(value);
}

/** Words joined by slashes, dots or dashes, as in paths, packages and sentences without spaces. */
function isWordPath(value: string): boolean {
  const words = value.split(/[/._:-]+/).filter((word) => word !== '');
  return (
    words.length >= 3 &&
    words.filter((word) => /^(?:[A-Z]?[a-z]+|[A-Z]+|\d+|v\d+)$/.test(word)).length >= words.length * 0.7
  );
}

/** What a person would choose or be given as a password: no plain word, no plain number, no file or host. */
export function isPasswordLike(value: string): boolean {
  if (value.length < 5 || isPlaceholder(value) || DIGEST.test(value)) return false;
  if (/^\d{1,2}:\d{2}/.test(value) || /^v?\d+(?:\.\d+)+$/.test(value) || /^\d{4}-\d{2}-\d{2}/.test(value)) return false;
  if (/^[a-z]+(?:-[a-z]+){3,}$/.test(value)) return true;
  if (/^[A-Za-z][a-z]*(?:[-'/][A-Za-z]?[a-z]+)*$/.test(value) || /^\d+\p{L}{0,3}$/u.test(value)) return false;
  if (LOWER_NAME.test(value) || HOST_OR_DOTTED.test(value)) return false;
  const hasLetter = /\p{L}/u.test(value);
  return hasLetter ? /[\d\p{P}\p{S}]|[a-z][A-Z]/u.test(value) : value.length >= 6 && /[^\d.,:/-]/.test(value);
}

/** Base64 of PNG, JPEG, GIF, WebP, SVG, PDF, zip, gzip and PEM certificates. */
const ENCODED_FILE = /^(?:iVBORw0KGgo|\/9j\/|R0lGOD|UklGR|PHN2Zy|JVBERi0|UEsDB|H4sI|LS0tLS1CRUdJTiBDRVJ)/;

/** True for a file that is written in base64, told by its first bytes. */
export function isEncodedFile(value: string): boolean {
  return ENCODED_FILE.test(value);
}
