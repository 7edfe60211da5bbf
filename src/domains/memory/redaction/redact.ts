// Replaces the secrets in a text by markers that say what stood there.
import { findAssigned } from './assignments.ts';
import { prescan } from './prescan.ts';
import { findPrivate } from './private-blocks.ts';
import { findTold } from './prose.ts';
import { loadSecretlint } from './secretlint.ts';
import type { Redaction, SecretFinding, SecretSpan } from './types.ts';
import { VENDOR_RULES } from './vendor-rules.ts';

/** Never secret: a marker this module wrote, a resource name of AWS, the body of an inlined image. */
const PUBLIC = /\[REDACTED:[a-z0-9_]+\]|\barn:aws[\w-]{0,10}:[^\s"'<>]+|\bdata:[\w/+.-]{1,64};base64,[A-Za-z0-9+/=]+/g;

/**
 * Replaces secrets by `[REDACTED:<kind>]`: `<private>` blocks, key formats of vendors, and values that their context
 * shows to be secret. Findings tell kind and place in the given text. Texts without any hint of a secret are given back
 * at once, without loading the rule library.
 */
export async function redactSecrets(text: string): Promise<Redaction> {
  const wanted = prescan(text);
  if (!wanted.context && !wanted.vendor) return { text, findings: [] };
  const found: SecretSpan[] = [...findPrivate(text)];
  if (wanted.vendor) found.push(...vendorSpans(text));
  if (wanted.context)
    found.push(...[...findAssigned(text), ...findTold(text)].filter((span) => !isNamedByMarker(text, span)));
  if (wanted.vendor) found.push(...(await (await loadSecretlint())(text)));
  return replaceSpans(text, withoutPublic(text, found));
}

/** `[REDACTED:bearer_token]: x`: the name before the colon is our own marker's, and says nothing about x. */
const MARKER_BEFORE = /\[REDACTED:[a-z0-9_]+\]["'`]?\s{0,4}[:=]?\s{0,4}["'`]?$/;
const MARKER_REACH_CHARS = 100;

function isNamedByMarker(text: string, { start }: SecretSpan): boolean {
  return MARKER_BEFORE.test(text.slice(Math.max(0, start - MARKER_REACH_CHARS), start));
}

/** Formats are shown with their secret part crossed out. */
const CROSSED_OUT = /[xX*]{8,}/;

function vendorSpans(text: string): SecretSpan[] {
  const spans: SecretSpan[] = [];
  for (const { kind, hints, pattern } of VENDOR_RULES) {
    if (!hints.some((hint) => text.includes(hint))) continue;
    for (const match of text.matchAll(pattern))
      if (!CROSSED_OUT.test(match[0])) spans.push({ kind, start: match.index, end: match.index + match[0].length });
  }
  return spans;
}

function withoutPublic(text: string, spans: readonly SecretSpan[]): SecretSpan[] {
  if (spans.length === 0) return [];
  const ranges = [...text.matchAll(PUBLIC)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
  }));
  const isPublic = (span: SecretSpan) => ranges.some((range) => span.start < range.end && span.end > range.start);
  return spans.filter((span) => span.end > span.start && (span.kind === 'private' || !isPublic(span)));
}

/** Joins spans that overlap under the kind of the one that was found first, which is the most telling one. */
function replaceSpans(text: string, spans: readonly SecretSpan[]): Redaction {
  const ranked = spans.map((span, rank) => ({ ...span, rank }));
  ranked.sort((a, b) => a.start - b.start || b.end - a.end);
  const joined: { kind: string; start: number; end: number; rank: number }[] = [];
  for (const span of ranked) {
    const last = joined.at(-1);
    if (last === undefined || span.start >= last.end) joined.push({ ...span });
    else {
      if (span.rank < last.rank) Object.assign(last, { kind: span.kind, rank: span.rank });
      last.end = Math.max(last.end, span.end);
    }
  }
  const findings: SecretFinding[] = joined.map(({ kind, start, end }) => ({
    kind,
    start,
    end,
    marker: `[REDACTED:${kind}]`,
  }));
  let redacted = '';
  let at = 0;
  for (const { start, end, marker } of findings) {
    redacted += text.slice(at, start) + marker;
    at = end;
  }
  return { text: redacted + text.slice(at), findings };
}
