// Times as callers write them: ISO 8601 moments, spans back from now, and nothing that depends on the machine's time zone.

const ISO = /^\d{4}-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s*(Z|[+-]\d{2}:?\d{2})?)?)?$/i;
const SPAN = /^(\d+)\s*([smhdw])$/i;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Normalises an ISO 8601 date or time to UTC with milliseconds; undefined for anything else. */
export function parseMoment(text: string): string | undefined {
  const trimmed = text.trim();
  if (!ISO.test(trimmed)) return undefined;
  const hasTime = trimmed.length > 10;
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/i.test(trimmed) && hasTime;
  const value = new Date(hasTime && !hasZone ? `${trimmed.replace(' ', 'T')}Z` : trimmed.replace(' ', 'T'));
  if (Number.isNaN(value.getTime())) return undefined;
  const iso = value.toISOString();
  // Years outside 0000-9999 get a sign, and times are compared as text. JavaScript reads 30 February as 1 March.
  return iso.startsWith('+') || iso.startsWith('-') || !dayExists(trimmed) ? undefined : iso;
}

function dayExists(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number);
  if (year === undefined || month === undefined || day === undefined) return true;
  return day <= new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

/** Resolves `7d` and the like against `now_ms`, or an ISO 8601 moment as it is. Input was validated by `sinceField`. */
export function resolveSince(text: string, now_ms: number): string {
  const span = SPAN.exec(text.trim());
  if (!span) return parseMoment(text) ?? new Date(now_ms).toISOString();
  const unit_ms = UNIT_MS[(span[2] ?? 'd').toLowerCase()] ?? 0;
  return new Date(Math.max(0, now_ms - Number(span[1]) * unit_ms)).toISOString();
}
