// Finds the names that people write in notes about systems (kube-proxy, 10.0.3.7, /etc/nginx/nginx.conf,
// --no-cache, camelCase, E11000) and spells each one as single words, so that they can be matched whole.

const NAMES_PER_TEXT_MAX = 2_000;
const NAME_CHARS_MAX = 200;
const FORMS_PER_NAME_MAX = 12;

/** A run without spaces, quotes, brackets or list punctuation: the widest thing that can be one name. */
const RUN = /[^\s"'`()[\]{}<>,;|!?*“”‘’]+/gu;
const EDGE = /^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu;
const JOINED = /[\p{L}\p{N}][^\p{L}\p{N}]+[\p{L}\p{N}]/u;
const HUMP = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;
const LETTER_DIGIT = /(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/u;
const LEVELS = /[/\\:=@]+/u;

/**
 * One word for a whole name: separators vanish, so that `kube-proxy`, `kube_proxy` and `kubeProxy` are one word.
 * Between two digits they stay visible, else 10.0.3.7 and 10.0.37 would be the same.
 */
export const joinedForm = (name: string): string =>
  name
    .replace(/(?<=\p{N})[^\p{L}\p{N}]+(?=\p{N})/gu, 'x')
    .replace(/[^\p{L}\p{N}]+/gu, '')
    .toLowerCase();

const humps = (name: string): string[] =>
  name
    .split(/[^\p{L}\p{N}]+/u)
    .flatMap((part) => {
      const parts = part.split(HUMP);
      const finer = part.split(LETTER_DIGIT);
      return [...(parts.length > 1 ? parts : []), ...(finer.length > 1 ? finer.filter((p) => p.length > 2) : [])];
    })
    .map((part) => part.toLowerCase());

const dottedTails = (segment: string): string[] => {
  const parts = segment.split('.');
  return parts.length < 3 ? [segment] : [segment, parts.slice(-2).join('.')];
};

/** A name as found in a text: `whole` is its joined form, `inner` are the joined forms of its levels and humps. */
export type Name = { readonly whole: string; readonly inner: readonly string[] };

const nameOf = (run: string): Name | undefined => {
  const name = run.slice(0, NAME_CHARS_MAX).replace(EDGE, '');
  const isJoined = JOINED.test(name);
  const parts = humps(name);
  if (!isJoined && parts.length === 0) return undefined;
  const levels = isJoined ? name.split(LEVELS).flatMap(dottedTails).filter((level) => JOINED.test(level)) : [];
  const whole = joinedForm(name);
  const inner = new Set([...levels.map(joinedForm), ...parts]);
  inner.delete(whole);
  inner.delete('');
  return { whole, inner: [...inner].slice(0, FORMS_PER_NAME_MAX) };
};

/** All names of a text, in order, repeated as often as they occur. */
export const namesIn = (text: string): Name[] => {
  const names: Name[] = [];
  for (const [run] of text.matchAll(RUN)) {
    const name = nameOf(run);
    if (name) names.push(name);
    if (names.length >= NAMES_PER_TEXT_MAX) break;
  }
  return names;
};
