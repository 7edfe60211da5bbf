// The one way a value is written as JSON in a backup: keys sorted by code unit, no white space, numbers as JavaScript
// writes them. Equal values are equal bytes, on whichever engine they were stored.

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonRecord = { readonly [key: string]: Json };

export function canonicalJson(value: Json): string {
  return JSON.stringify(sorted(value));
}

function sorted(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(sorted);
  const out: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const key of Object.keys(value).sort()) out[key] = sorted(value[key] as Json);
  return out;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
