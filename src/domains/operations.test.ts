// All operations as they are defined: names, words, annotations, bindings, schemas, and that their examples run.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { contextOf, openApp } from '../../test/support/open-app.ts';
import { operationDefinitions } from './operations.ts';

/** Tools of the product's description that belong to memories and their format. */
const TOOLS = [
  'store_memory',
  'retrieve_memory',
  'update_memory',
  'search_memories',
  'get_recent_memories',
  'get_memory_stats',
  'get_project_memories',
  'get_machine_context',
  'list_memory_sources',
  'import_conversation',
  'get_memory_access_stats',
  'get_format_guide',
  'delete_memory',
  'bulk_delete_memories',
  'recover_deleted_memory',
  'list_deleted_memories',
  'detect_duplicate_memories',
  'merge_duplicate_memories',
  'cleanup_expired_deletions',
];

/** Parameters of the seed's examples: they are the contract of each tool. */
const SEED_INPUTS: readonly (readonly [string, object])[] = [
  ['update_memory', { memory_id: 'abc123', content: 'Updated content with corrections' }],
  ['update_memory', { memory_id: 'abc123', tags: ['fixed', 'verified'], context: 'Corrected information' }],
  ['update_memory', { memory_id: 'abc123', category: 'incidents' }],
  ['update_memory', { memory_id: 'abc123', metadata: { priority: 'high', verified: true } }],
  ['delete_memory', { memory_id: 'abc123', hard_delete: false, reason: 'No longer needed' }],
  ['list_deleted_memories', { limit: 20 }],
  ['recover_deleted_memory', { memory_id: 'abc123' }],
  [
    'bulk_delete_memories',
    { category: 'incidents', date_to: '2024-01-01', hard_delete: false, confirm: true, reason: 'Archive' },
  ],
  ['detect_duplicate_memories', { threshold: 0.9 }],
  ['merge_duplicate_memories', { memory_id_1: 'abc123', memory_id_2: 'def456', keep_memory: 'newest' }],
  ['cleanup_expired_deletions', {}],
  ['search_memories', { query: 'nginx', machine_id: 'web-1', project: 'edge', since: '7d' }],
];

type JsonSchema = { readonly [key: string]: unknown };

const BRANCHES = ['anyOf', 'oneOf', 'allOf', 'prefixItems'] as const;

/** A field that may be null is described by the branch that is not. */
function isDescribed(schema: JsonSchema): boolean {
  if (typeof schema.description === 'string' && schema.description !== '') return true;
  return BRANCHES.some((key) => ((schema[key] ?? []) as JsonSchema[]).some(isDescribed));
}

/** Paths of properties, however deep, that have no description. */
function undescribed(schema: JsonSchema, path: string): string[] {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const inside = BRANCHES.flatMap((key) => (schema[key] ?? []) as JsonSchema[]);
  if (typeof schema.items === 'object' && schema.items !== null) inside.push(schema.items as JsonSchema);
  return [
    ...properties.flatMap(([name, child]) => [
      ...(isDescribed(child) ? [] : [`${path}.${name}`]),
      ...undescribed(child, `${path}.${name}`),
    ]),
    ...inside.flatMap((child) => undescribed(child, path)),
  ];
}

const byName = new Map<string, (typeof operationDefinitions)[number]>(
  operationDefinitions.map((operation) => [operation.name, operation]),
);

test('the tools are those of the product, each defined once', () => {
  expect(operationDefinitions.map((operation) => operation.name).toSorted()).toEqual(TOOLS.toSorted());
});

test('each is in the file of its name', () => {
  const files = ['memory', 'format'].flatMap((domain) =>
    readdirSync(join(import.meta.dirname, domain, 'operations')).filter((file) => !file.endsWith('.test.ts')),
  );
  const named = files.map((file) => file.replace(/\.ts$/, '')).filter((name) => name !== 'index');
  expect(named.toSorted()).toEqual(TOOLS.toSorted());
});

describe.each(operationDefinitions.map((operation) => [operation.name, operation] as const))(
  '%s',
  (name, operation) => {
    test('says what it is for', () => {
      expect(operation.title).toMatch(/^[A-Z].{3,39}$/);
      expect(operation.description.length).toBeGreaterThan(40);
      expect(operation.description.length).toBeLessThanOrEqual(1_024);
      expect(operation.description).toMatch(/\.$/);
    });

    test('describes every field that goes in or comes out', () => {
      const input = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
      const output = z.toJSONSchema(operation.output, { io: 'output', unrepresentable: 'any' }) as JsonSchema;
      expect(undescribed(input, 'input')).toEqual([]);
      expect(undescribed(output, 'output')).toEqual([]);
      expect(input.additionalProperties).toBe(false);
    });

    test('has fields in snake_case and calls ids by what they identify', () => {
      const names = [...Object.keys(operation.input.shape), ...Object.keys(operation.output.shape)];
      for (const field of names) expect(field).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      expect(names).not.toContain('id');
    });

    test('has annotations that agree with its route and its permission', () => {
      const { readOnly, destructive, idempotent } = operation.effects;
      const { method } = operation.rest;
      if (readOnly)
        expect({ destructive, idempotent, method }).toEqual({ destructive: false, idempotent: true, method: 'GET' });
      else expect(method).not.toBe('GET');
      if (method === 'DELETE') expect(destructive).toBe(true);
      expect(operation.permission).toBe(
        readOnly ? 'memory.read' : operation.toolset === 'lifecycle' ? 'memory.delete' : 'memory.write',
      );
      expect(operation.core === true).toBe(operation.toolset === 'memory');
    });

    test('binds its path, positions and table to fields that exist', () => {
      const { input, output } = operation as { input: z.ZodObject; output: z.ZodObject };
      for (const [, field] of operation.rest.path.matchAll(/\{(\w+)\}/g)) expect(input.shape).toHaveProperty(field!);
      const cli: { positional?: readonly string[]; table?: { rows: string } } = operation.cli;
      for (const field of cli.positional ?? []) expect(input.shape).toHaveProperty(field);
      if (cli.table) expect(output.shape).toHaveProperty(cli.table.rows);
    });

    test('has an example that runs, and answers with what its schema says', async () => {
      await using app = await openApp();
      const ids = new Map<string, string>();
      for (const known of ['abc123', 'def456']) ids.set(known, await app.store(`Prepared for the example: ${known}`));
      if (name === 'recover_deleted_memory') await app.call('delete_memory', { memory_id: ids.get('abc123') });
      for (const { input } of operation.examples) {
        const real = JSON.parse(JSON.stringify(input), (_key, value) => ids.get(value) ?? value);
        const ctx = contextOf('test-machine', { project: 'demo' });
        const { output, parts } = await app.runtime.executor.execute(name, real, ctx);
        // Strict: an answer has no field that is not declared.
        const declared = z.strictObject((operation.output as z.ZodObject).shape);
        expect(declared.safeParse(output)).toMatchObject({ success: true });
        expect(parts.map((part) => part.text).join('')).not.toBe('');
      }
    });
  },
);

test.each(SEED_INPUTS)('%s takes %j', (name, input) => {
  expect(byName.get(name)!.input.safeParse(input)).toMatchObject({ success: true });
});

test('routes, commands and short forms are taken once', () => {
  const unique = (values: readonly string[]) => expect(values.toSorted()).toEqual([...new Set(values)].toSorted());
  unique(operationDefinitions.map(({ rest }) => `${rest.method} ${rest.path.replaceAll(/\{\w+\}/g, '{}')}`));
  unique(operationDefinitions.map(({ cli }) => `${cli.group} ${cli.verb}`));
  unique(operationDefinitions.flatMap(({ cli }: { cli: { alias?: string } }) => cli.alias ?? []));
  for (const { cli } of operationDefinitions) expect(`${cli.group} ${cli.verb}`).toMatch(/^[a-z]+ [a-z]+(-[a-z]+)*$/);
});

test('the words that models read stay within their budget', () => {
  const size = (operation: (typeof operationDefinitions)[number]) =>
    operation.description.length + JSON.stringify(z.toJSONSchema(operation.input, { io: 'input' })).length;
  const all = operationDefinitions.reduce((sum, operation) => sum + size(operation), 0);
  // What MCP lists is measured where it is made; this keeps a definition from growing unnoticed.
  expect(all).toBeLessThanOrEqual(20_000);
});
