// JSON Schemas of operations: the terse form MCP clients carry in every conversation, and the full one for OpenAPI.
import { z } from 'zod';
import type { Operation } from '../../kernel/operation.ts';

export type JsonSchema = { [key: string]: unknown };

/**
 * What a tool accepts, small and portable: field names, types, choices, ranges and descriptions.
 * Lengths and patterns stay with the server, which checks them with the full schema anyway.
 */
export function terseInputSchema(operation: Operation): JsonSchema {
  const schema = rawSchema(operation.input, 'input');
  return { type: 'object', ...withoutUnusedDefinitions(asObject(trim(schema, INPUT_NOISE))) };
}

/**
 * What a tool answers: the top-level fields and their types, nothing else.
 * Nothing is required in it, because an error answer carries code, message and hint in the same place and
 * clients check every structured answer against this schema. Nullable fields are left out: a type union is not
 * portable and says little.
 */
export function terseOutputSchema(operation: Operation): JsonSchema {
  const { properties } = rawSchema(operation.output, 'output');
  const terse: JsonSchema = {};
  for (const [name, field] of Object.entries(asObject(properties))) {
    const { type, items } = asObject(field);
    if (typeof type !== 'string') continue;
    const itemType = asObject(items).type;
    terse[name] = type === 'array' && typeof itemType === 'string' ? { type, items: { type: itemType } } : { type };
  }
  return { type: 'object', properties: terse };
}

/** Every constraint, as OpenAPI 3.1 takes it. */
export function fullSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return withoutUnusedDefinitions(asObject(trim(rawSchema(schema, io), FULL_NOISE)));
}

function rawSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' }) as JsonSchema;
}

const FULL_NOISE: ReadonlySet<string> = new Set(['$schema', 'propertyNames']);
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
