// What the real tools cost every conversation, and what a server instance costs every request.
import { describe, expect, it } from 'vitest';
import { operationDefinitions } from '../src/domains/operations.ts';
import { createExecutor } from '../src/kernel/execute.ts';
import { bindOperation } from '../src/kernel/operation.ts';
import { catalogueOf } from '../src/surfaces/mcp/catalogue.ts';
import { parseToolsets } from '../src/surfaces/mcp/toolsets.ts';

const executor = createExecutor(
  operationDefinitions.map((operation) => bindOperation(operation as never, {} as never)),
  { admit: async (_, ctx) => ctx, refused: async () => {}, observe: () => undefined, annotate: async () => ({}) },
);
const tools = catalogueOf(executor).list(undefined);
const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

describe('the tool list', () => {
  it('fits the budget: 850 bytes a tool, 60,000 in all; the ten core tools in 12,000', () => {
    const core = tools.filter((tool) => tool._meta?.['anthropic/alwaysLoad'] === true);
    expect(core).toHaveLength(10);
    expect(bytes(core)).toBeLessThanOrEqual(12_000);
    expect(bytes({ tools })).toBeLessThanOrEqual(Math.min(60_000, tools.length * 850));
  });

  it('is the same on every call, in the order of definition, without what only administrators need', () => {
    expect(catalogueOf(executor).list(undefined)).toBe(tools);
    const listed = executor.operations.filter(({ toolset }) => toolset !== 'admin');
    expect(tools.map((tool) => tool.name)).toEqual(listed.map((operation) => operation.name));
    const all = catalogueOf(executor).list(parseToolsets('all', executor.operations));
    for (const { name } of executor.operations) expect(all.map((tool) => tool.name)).toContain(name);
  });

  it('uses only plain schemas: one type for each field, no references, no unions at the top', () => {
    for (const tool of tools) {
      for (const schema of [tool.inputSchema, tool.outputSchema]) {
        expect(schema?.type).toBe('object');
        expect(
          Object.keys(schema ?? {}).filter((key) => /^(anyOf|oneOf|allOf|not|\$ref|\$defs|\$schema)$/.test(key)),
        ).toEqual([]);
        for (const [name, field] of Object.entries(schema?.properties ?? {})) {
          expect((field as { type: unknown }).type, `${tool.name}.${name}`).toEqual(expect.any(String));
        }
      }
      expect(tool.annotations?.readOnlyHint, tool.name).toEqual(expect.any(Boolean));
      expect(tool.description?.length ?? 0).toBeLessThanOrEqual(1_024);
    }
  });
});
