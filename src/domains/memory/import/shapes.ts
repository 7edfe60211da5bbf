// Reading values of unknown shape: exports change without notice, so nothing is believed before it is looked at.

export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value as a record, or an empty one. */
export function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as a non-empty string. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The first of the values that is a non-empty string. */
export function firstText(...values: readonly unknown[]): string | undefined {
  for (const value of values) {
    const text = textOf(value);
    if (text !== undefined) return text;
  }
  return undefined;
}

const EARLIEST_MS = Date.UTC(1970, 0, 2);
const LATEST_MS = Date.UTC(2200, 0, 1);
/** Seconds up to the year 2200 are smaller than milliseconds of 1970. */
const SECONDS_BELOW = LATEST_MS / 1000;

/** A moment as ISO 8601 in UTC from an ISO text or a Unix time in seconds or milliseconds; undefined where it is none. */
export function momentOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) {
    return isoWithin(value < SECONDS_BELOW ? value * 1000 : value);
  }
  if (value instanceof Date) return isoWithin(value.getTime());
  if (typeof value !== 'string' || !/^\d{4}-\d{2}(?:-\d{2})?/.test(value)) return undefined;
  return isoWithin(Date.parse(hasZone(value) ? value : `${value.replace(' ', 'T')}Z`));
}

/** A time of day without a zone would be read as this machine's; exports mean UTC. */
function hasZone(text: string): boolean {
  return !/\d{2}:\d{2}/.test(text) || /(?:z|[+-]\d{2}:?\d{2}|utc|gmt)$/i.test(text.trim());
}

function isoWithin(ms: number): string | undefined {
  return ms >= EARLIEST_MS && ms < LATEST_MS ? new Date(ms).toISOString() : undefined;
}
