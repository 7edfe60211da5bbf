// The cheap look that decides whether a text has to be scanned at all: most notes hold nothing that could be a secret.
import { VENDOR_RULES } from './vendor-rules.ts';

/** Words and signs without which no contextual rule can match. */
const CONTEXT_HINTS =
  /pass|secret|token|key|pwd|\bpw\b|bearer|basic|credential|creds|\blogin\b|auth|cookie|kennwort|\bpat\b|psk|<private>|:\/\/[^\s/]*:[^\s/]*@|[?&]sig|aws|amazon|dsn|salt|seed|jwt|license|curl|jdbc:|-u /i;

/** Runs long enough to be a generated value; looked at one by one, so that a long text costs linear time. */
const RUN = /[A-Za-z0-9_+/=-]{20,}/g;

/** A run that mixes cases and digits, or a long hexadecimal one. */
function holdsDenseRun(text: string): boolean {
  for (const [run] of text.matchAll(RUN)) {
    if (/\d/.test(run) && ((/[a-z]/.test(run) && /[A-Z]/.test(run)) || LONG_HEX.test(run))) return true;
  }
  return false;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Hints of one or two characters occur in every text; rules with such hints follow from a dense run as well. */
const VENDOR_HINTS = new RegExp(
  [...new Set(VENDOR_RULES.flatMap((rule) => rule.hints))]
    .filter((hint) => hint.length > 2)
    .map(escaped)
    .join('|'),
);
/** Formats in lower case alone, which a dense run would miss although their hint is short. */
const LONG_HEX = /[a-f0-9]{32}/;

export interface Prescan {
  /** A contextual rule may match. */
  readonly context: boolean;
  /** A key format may occur. */
  readonly vendor: boolean;
}

/** Tells which scans a text needs; errs on the side of scanning. */
export function prescan(text: string): Prescan {
  const isDense = holdsDenseRun(text);
  return { context: isDense || CONTEXT_HINTS.test(text), vendor: isDense || VENDOR_HINTS.test(text) };
}
