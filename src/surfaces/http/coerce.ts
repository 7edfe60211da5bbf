// Query strings carry text only: each value becomes what the operation's schema says its field is.
import type { JsonSchema } from '../mcp/json-schemas.ts';

/** Values of a query string by name; a repeated name gives a list. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * Turns text into numbers, booleans, lists and objects where the schema wants them. A value that cannot be turned
 * stays text, so that validation names the field and what it should be.
 */
export function coerceQuery(query: Query, schema: JsonSchema): Record<string, unknown> {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
  // Without a prototype, so that a field called __proto__ is a field like any other and gets refused.
  const coerced: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    coerced[name] = coerceValue(value, Object.hasOwn(properties, name) ? properties[name] : undefined);
  }
  return coerced;
}

function coerceValue(value: string | readonly string[], schema: JsonSchema | undefined): unknown {
  const types = typesOf(schema);
  if (types.has('array')) return coerceList(value, schema);
  const text = typeof value === 'string' ? value : (value.at(-1) ?? '');
  if (types.has('integer') || types.has('number')) {
    const number = DECIMAL.test(text) ? Number(text) : Number.NaN;
    if (Number.isFinite(number)) return number;
  }
  if (types.has('boolean') && /^(true|false|1|0)$/i.test(text)) return text === '1' || text.toLowerCase() === 'true';
  if (types.has('object')) return parsed(text) ?? text;
  return text;
}

const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

function coerceList(value: string | readonly string[], schema: JsonSchema | undefined): unknown {
  if (typeof value === 'string' && value.trimStart().startsWith('[')) {
    const list = parsed(value);
    if (Array.isArray(list)) return list;
  }
  const texts = typeof value === 'string' ? value.split(',').map((text) => text.trim()) : value;
  const items = branches(schema).find((branch) => [branch.type].flat().includes('array'))?.items as
    | JsonSchema
    | undefined;
  return texts.filter((text) => text !== '').map((text) => coerceValue(text, items));
}

function typesOf(schema: JsonSchema | undefined): ReadonlySet<unknown> {
  return new Set(branches(schema).flatMap((branch) => branch.type));
}

function branches(schema: JsonSchema | undefined): readonly JsonSchema[] {
  if (!schema) return [];
  const union = (schema.anyOf ?? schema.oneOf) as readonly JsonSchema[] | undefined;
  return union ? union.flatMap(branches) : [schema];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
