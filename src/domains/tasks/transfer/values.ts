// Fields of foreign JSON: taken where they have the type that is meant, passed over where they have another.
export type Values = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A number or a text, as a part of an id. Anything else is none: not every object can be made a text of. */
export function nameOf(value: unknown): string | undefined {
  return textOf(value) ?? (numberOf(value) === undefined ? undefined : String(value));
}

/** A list, also where it is wrapped as GraphQL does: `{ nodes: [...] }`. */
export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isRecord(value) && Array.isArray(value.nodes) ? value.nodes : [];
}

/** A moment in ISO 8601; Go's zero time, which stands for none, is none. */
export function timeOf(value: unknown): string | null {
  const text = textOf(value);
  return text === undefined || text.startsWith('0001-01-01') ? null : text;
}

/** Parts under headings, those that are empty left out. */
export function sections(parts: readonly (readonly [heading: string, text: string | undefined])[]): string {
  return parts
    .flatMap(([heading, text]) => (text === undefined ? [] : [heading === '' ? text : `## ${heading}\n\n${text}`]))
    .join('\n\n');
}
