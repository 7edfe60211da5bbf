// JSON Schemas of operations: the terse form MCP clients carry in every conversation, and the full one for OpenAPI.
import { z } from 'zod';
import { UNLISTED } from '../../kernel/fields.ts';
import type { Operation } from '../../kernel/operation.ts';

export type JsonSchema = { [key: string]: unknown };

/**
 * What a tool accepts, small and portable: field names, types, choices, ranges and descriptions.
 * Lengths, patterns and the ban on unknown fields stay with the server, which checks them with the full schema anyway.
 * Fields that are seldom needed are not listed; the server takes them all the same.
 */
export function terseInputSchema(operation: Operation, fieldsOf: 'listed' | 'all' = 'listed'): JsonSchema {
  const schema = withoutUnusedDefinitions(asObject(trim(rawSchema(operation.input, 'input'), INPUT_NOISE)));
  const { additionalProperties: _, properties, ...rest } = schema;
  const fields = Object.entries(asObject(properties))
    .map(([name, field]) => [name, asObject(field)] as const)
    .filter(([, field]) => fieldsOf === 'all' || field[UNLISTED] !== true)
    .map(([name, { [UNLISTED]: _rare, ...field }]) => [name, PAGING[name] ?? withoutObvious(oneForm(field))]);
  return { type: 'object', properties: Object.fromEntries(fields), ...rest };
}

/**
 * Of a field that may be written in several ways the one to recommend: a list rather than a text to split, one of
 * the choices rather than a list of them, a value rather than null. The server takes the others too.
 */
function oneForm(field: JsonSchema): JsonSchema {
  const { anyOf, ...outer } = field;
  if (Array.isArray(field.type)) return { ...field, type: field.type.find((type) => type !== 'null') };
  if (!Array.isArray(anyOf)) return field;
  const forms = anyOf.map(asObject).filter((form) => form.type !== 'null');
  const list = forms.find((form) => form.type === 'array');
  const single = forms.find((form) => form.type !== 'array');
  if (forms.length > 2 || (forms.length === 2 && !(list && single))) return field;
  return { ...(single?.enum ? single : (list ?? single)), ...outer };
}

/** The same in every list, and known to every model. */
const PAGING: Readonly<Record<string, JsonSchema>> = {
  limit: { type: 'integer' },
  cursor: { type: 'string', description: 'next_cursor.' },
};

/** Defaults and bounds a reader assumes anyway, and what each item of a list is where the list says it. */
function withoutObvious(field: JsonSchema): JsonSchema {
  const { default: fallback, minimum, items, ...rest } = field;
  const { description, ...item } = asObject(items);
  const plain = items === undefined ? {} : { items: rest.description === undefined ? items : item };
  const obvious = fallback === false || fallback === '' || (Array.isArray(fallback) && fallback.length === 0);
  return {
    ...rest,
    ...plain,
    ...(fallback === undefined || obvious ? {} : { default: fallback }),
    ...(minimum === undefined || (field.type === 'integer' && (minimum === 0 || minimum === 1)) ? {} : { minimum }),
  };
}

/**
 * What a tool answers: of core tools the first top-level fields and their types, of others that it is an object.
 * Nothing is required in it, because an error answer carries code, message and hint in the same place and
 * clients check every structured answer against this schema. Nullable fields are left out: a type union is not
 * portable and says little.
 */
export function terseOutputSchema(operation: Operation): JsonSchema {
  if (!operation.core) return { type: 'object' };
  const { properties } = rawSchema(operation.output, 'output');
  const terse: JsonSchema = {};
  for (const [name, field] of Object.entries(asObject(properties))) {
    const { type } = asObject(field);
    if (typeof type === 'string') terse[name] = { type };
    if (Object.keys(terse).length === OUTPUT_FIELDS_MAX) break;
  }
  return { type: 'object', properties: terse };
}

/** Enough to know an answer by; a long record shows the rest when it is there. */
const OUTPUT_FIELDS_MAX = 6;

/** Every constraint, as OpenAPI 3.1 takes it. */
export function fullSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return withoutUnusedDefinitions(asObject(trim(rawSchema(schema, io), OPENAPI_NOISE)));
}

function rawSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' }) as JsonSchema;
}

const FULL_NOISE: ReadonlySet<string> = new Set(['$schema', 'propertyNames']);
const OPENAPI_NOISE: ReadonlySet<string> = new Set([...FULL_NOISE, UNLISTED]);
const INPUT_NOISE: ReadonlySet<string> = new Set([
  ...FULL_NOISE,
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'examples',
]);

function trim(node: unknown, noise: ReadonlySet<string>): unknown {
  if (Array.isArray(node)) return node.map((item) => trim(item, noise));
  if (typeof node !== 'object' || node === null) return node;
  const kept: JsonSchema = {};
  for (const [key, value] of Object.entries(node)) {
    if (noise.has(key) || isDefaultBound(key, value) || isOpenObject(key, value)) continue;
    // A map of properties has names as keys, which must survive even when they look like keywords.
    kept[key] = key === 'properties' || key === '$defs' ? trimValues(value, noise) : trim(value, noise);
  }
  return kept;
}

function trimValues(map: unknown, noise: ReadonlySet<string>): JsonSchema {
  return Object.fromEntries(Object.entries(asObject(map)).map(([name, value]) => [name, trim(value, noise)]));
}

/** zod bounds integers by what a double holds exactly, which tells a reader nothing. */
function isDefaultBound(key: string, value: unknown): boolean {
  return (key === 'maximum' || key === 'minimum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER;
}

/** Any JSON value, spelled `{}` or as a reference to zod's recursive definition of JSON: what absence says, too. */
function isOpenObject(key: string, value: unknown): boolean {
  if (key !== 'additionalProperties' || typeof value !== 'object') return false;
  const keys = Object.keys(asObject(value));
  return keys.length === 0 || (keys.length === 1 && keys[0] === '$ref');
}

/** Definitions nobody refers to any more. */
function withoutUnusedDefinitions(schema: JsonSchema): JsonSchema {
  const { $defs, ...rest } = schema;
  return $defs !== undefined && JSON.stringify(rest).includes('"$ref"') ? schema : rest;
}

function asObject(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? (value as JsonSchema) : {};
}
