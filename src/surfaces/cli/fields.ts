// Derives command-line fields from an operation's zod input: one kind a field, so that flags, help and docs agree.
import { z } from 'zod';

/** How a field's text becomes a value. `any` takes JSON where the text is JSON, else the text. */
export type FieldKind = 'string' | 'number' | 'boolean' | 'strings' | 'numbers' | 'json' | 'any';

export interface Field {
  /** Name in the operation's input, snake_case. */
  readonly name: string;
  /** The same in kebab-case, without dashes in front. */
  readonly flag: string;
  readonly kind: FieldKind;
  readonly required: boolean;
  /** The word `null` clears the field. */
  readonly nullable: boolean;
  readonly description: string;
  readonly choices?: readonly string[];
  /** Default of the schema as JSON, where it has one. */
  readonly fallback?: unknown;
}

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

/** Fields in the order of the schema. */
export function fieldsOf(input: z.ZodObject): readonly Field[] {
  const schema = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const variants = variantsOf(property);
    const concrete = variants.filter((variant) => variant.type !== 'null');
    const choices = choicesOf(concrete);
    return {
      name,
      flag: name.replaceAll('_', '-'),
      kind: kindOf(concrete),
      required: required.has(name),
      nullable: concrete.length < variants.length,
      description: property.description ?? concrete[0]?.description ?? '',
      ...(choices ? { choices } : {}),
      ...(property.default === undefined ? {} : { fallback: property.default }),
    };
  });
}

function variantsOf(schema: JsonSchema): readonly JsonSchema[] {
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (parts) return parts.flatMap(variantsOf);
  const { type } = schema;
  return Array.isArray(type) ? type.map((one: string) => ({ ...schema, type: one })) : [schema];
}

function choicesOf(variants: readonly JsonSchema[]): readonly string[] | undefined {
  const items = variants.flatMap((variant) =>
    variant.type === 'array' && variant.items ? variantsOf(variant.items) : [variant],
  );
  const values = items.flatMap((item) => item.enum ?? (item.const === undefined ? [] : [item.const]));
  const complete = items.length > 0 && items.every((item) => item.enum !== undefined || item.const !== undefined);
  return complete ? [...new Set(values.filter((value) => typeof value === 'string'))] : undefined;
}

function kindOf(variants: readonly JsonSchema[]): FieldKind {
  const kinds = new Set(variants.map(simpleKind));
  const [only] = kinds;
  if (kinds.size === 1 && only) return only;
  if (kinds.has('any') || kinds.has('json')) return 'any';
  if (kinds.has('strings')) return 'strings';
  return kinds.has('string') ? 'string' : 'any';
}

function simpleKind(schema: JsonSchema): FieldKind {
  switch (schema.type) {
    case 'string':
      return 'string';
    case 'number':
    case 'integer':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array':
      return listKind(schema.items);
    case 'object':
      return 'json';
    default:
      return schema.enum || typeof schema.const === 'string' ? 'string' : 'any';
  }
}

function listKind(items: JsonSchema | undefined): FieldKind {
  const kind = items ? kindOf(variantsOf(items)) : 'any';
  if (kind === 'string') return 'strings';
  return kind === 'number' ? 'numbers' : 'json';
}
